// The service with as many of its neighbours as a test wants: broker, appointments service, profile service, AWS.
import { randomUUID } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { AppointmentsService } from './appointments_listeners.js';
import { Chime } from './chime.js';
import { EventRecorder } from './event_recorder.js';
import { Appointments, Profile } from './platform.js';
import { RabbitMq } from './rabbitmq.js';
import { eventually, sessions, World } from './world.js';

export class Neighbourhood {
    /**
     * @param {{ store?: 'sqlite' | 'postgres', broker?: boolean, era?: 'chime' | 'present', chime?: boolean | object,
     *           profile?: boolean, appointments?: boolean, env?: Record<string, string> }} wanted
     *     `broker` brings the appointments service's listeners and a recorder with it; `chime` may say with which
     *     credentials.
     */
    static async open({ store = 'sqlite', broker = false, era, chime = false, profile = false, appointments = false, env = {} } = {}) {
        const here = new Neighbourhood();
        try {
            const start = async (name, wanted, starting) => {
                if (wanted) here[name] = await starting();
            };
            await Promise.all([
                start('broker', broker, () => RabbitMq.start()),
                start('chime', chime, () => Chime.start(chime === true ? {} : chime)),
                start('profile', profile, () => Profile.start()),
                start('appointments', appointments, () => Appointments.start()),
            ]);
            if (here.broker) {
                // The appointments service was there first, so that none of our announcements finds nobody.
                here.listeners = await AppointmentsService.start(here.broker, { era });
                here.recorder = await EventRecorder.start(here.broker);
            }
            here.world = await World.open({
                store,
                env: {
                    ...(here.broker?.environment ?? {}),
                    ...(here.chime?.environment ?? { MEETING_PROVIDER: 'embedded' }),
                    ...(here.profile ? { PROFILE_SERVICE_URL: here.profile.url } : {}),
                    ...(here.appointments ? { APPOINTMENTS_SERVICE_URL: here.appointments.url } : {}),
                    ...env,
                },
            });
            // The queue of requests is there from then on; before that the broker drops what is sent to it.
            if (here.broker) await eventually(async () => (await here.health()).rabbitmq === 'healthy', 'the service is at the broker', 30_000);
        } catch (error) {
            await here.close();
            throw error;
        }
        return here;
    }

    async close() {
        await this.world?.close();
        await this.recorder?.stop();
        await this.listeners?.stop();
        await Promise.all([this.broker?.stop(), this.chime?.stop(), this.profile?.stop(), this.appointments?.stop()]);
    }

    get client() {
        return this.world.client;
    }

    /** Books over the broker, as the appointments service does, and waits until the link is there. */
    async bookedVisit({ appointmentId = randomUUID(), pair = this.world.pair(), time } = {}) {
        const appointment = await this.listeners.book({ appointmentId, doctorId: pair.doctorId, patientId: pair.patientId, time });
        await eventually(() => appointment.meetingLink, 'the appointment has its link');
        return { ...pair, appointment, sessionId: appointment.meetingId, path: `${sessions}/${appointment.meetingId}` };
    }

    /** Waits until the recorder has seen these routing keys of a session, and gives its messages. */
    async told(sessionId, keys, limit) {
        const wanted = [...keys].sort().join();
        await eventually(
            () => this.recorder.keys(sessionId).sort().join() === wanted,
            () => `the messages ${keys} of a session; there are ${this.recorder.keys(sessionId)}`,
            limit,
        );
        return this.recorder.of(sessionId);
    }

    async health() {
        return (await this.client.get('/health')).body;
    }
}

/** `tests` get a function, because the neighbourhood exists only once they run. */
export function inNeighbourhood(name, wanted, tests) {
    describe(name, () => {
        let here;
        before(async () => {
            here = await Neighbourhood.open(wanted);
        });
        after(() => here?.close());
        tests(() => here);
    });
}

/** The same on both stores. */
export function inNeighbourhoodOnEachStore(name, wanted, tests) {
    for (const store of ['sqlite', 'postgres']) inNeighbourhood(`${name} (${store})`, { ...wanted, store }, tests);
}
