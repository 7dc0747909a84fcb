// Writes down everything that goes through the platform's exchanges, in the order in which the broker delivers it.
import { topics } from './appointments_listeners.js';

const queue = 'recorder-of-the-tests';

export class EventRecorder {
    /** From here on nothing is missed, also while the broker is down: the queue is durable. */
    static async start(broker) {
        const recorder = new EventRecorder();
        Object.assign(recorder, { broker, running: true, messages: [] });
        await recorder.connect();
        return recorder;
    }

    async connect() {
        this.connection = await this.broker.connect();
        this.connection.once('close', () => this.reconnect());
        const channel = await this.connection.createChannel();
        channel.on('error', () => {});
        this.channel = channel;
        await channel.assertQueue(queue, { durable: true });
        for (const exchange of Object.values(topics)) {
            await channel.assertExchange(exchange, 'topic', { durable: true, autoDelete: false });
            await channel.bindQueue(queue, exchange, '#');
        }
        await channel.prefetch(500);
        await channel.consume(queue, (message) => {
            if (message === null) return;
            this.record(message);
            channel.ack(message);
        });
    }

    async reconnect() {
        while (this.running) {
            try {
                return await this.connect();
            } catch {
                await new Promise((resolve) => setTimeout(resolve, 200));
            }
        }
    }

    record({ fields, properties, content }) {
        let body;
        try {
            body = JSON.parse(content);
        } catch {
            body = undefined;
        }
        // Ours again, because the broker went down before it knew that we had it.
        const again = fields.redelivered && this.messages.some((each) => each.properties.messageId === properties.messageId && each.exchange === fields.exchange);
        if (!again) this.messages.push({ exchange: fields.exchange, key: fields.routingKey, properties, body, text: content.toString('utf8'), time: Date.now() });
    }

    /** What came from the service itself; the appointments service's requests have no message id. */
    get events() {
        return this.messages.filter((each) => !each.key.startsWith('appointment.video.'));
    }

    /** Of one session, oldest first. */
    of(sessionId, exchange = topics.appointments) {
        return this.events.filter((each) => each.exchange === exchange && each.body?.data?.session_id === sessionId);
    }

    keys(sessionId, exchange) {
        return this.of(sessionId, exchange).map((each) => each.key);
    }

    async stop() {
        this.running = false;
        await this.channel.close().catch(() => {});
        await this.connection.close().catch(() => {});
    }
}
