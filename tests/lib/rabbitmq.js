// A RabbitMQ of our own: Debian's binaries, a temporary folder, private ports, its own port mapper (epmd). Nothing of it
// touches a broker that runs as a system service. Every process of it dies with the test, also when the test crashes.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import amqp from 'amqplib';
import { freePort } from './free_port.js';

const server = process.env.RABBITMQ_SERVER ?? '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** Plugins, and libraries that only plugins use. The broker reads all that lies in its plugins folder when it starts. */
const unused = /^(README|rabbitmq_(?!prelaunch)|cowboy|cowlib|eetcd|gun|jose)/;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A child that ends when this process does, however it ends. */
function dependent(command, args, options) {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], options);
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    child.ended = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', () => {
            process.off('exit', end);
            resolve();
        });
    });
    return child;
}

const running = (child) => child !== undefined && child.exitCode === null && child.signalCode === null;

function answers(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.once('connect', () => {
            socket.destroy();
            resolve(true);
        });
        socket.once('error', () => resolve(false));
    });
}

export class RabbitMq {
    /**
     * @param {{ port?: number }} [options] on a free port if none is named.
     * @returns {Promise<RabbitMq>} when it takes connections.
     */
    static async start({ port } = {}) {
        if (!existsSync(server)) throw new Error(`no RabbitMQ at ${server}; install rabbitmq-server`);
        const broker = new RabbitMq();
        broker.folder = mkdtempSync(join(tmpdir(), 'vc-rabbitmq-'));
        broker.port = port ?? (await freePort());
        broker.mapperPort = await freePort();
        broker.distributionPort = await freePort();
        broker.prepare();
        try {
            await broker.boot();
        } catch (error) {
            await broker.stop();
            throw error;
        }
        return broker;
    }

    prepare() {
        const inside = (name) => join(this.folder, name);
        for (const name of ['data', 'log', 'config', 'libraries', 'home']) mkdirSync(inside(name));
        const shipped = readdirSync(join(dirname(dirname(server)), 'lib')).find((name) => name.startsWith('rabbitmq_server-'));
        const libraries = join(dirname(dirname(server)), 'lib', shipped, 'plugins');
        for (const name of readdirSync(libraries)) {
            if (!unused.test(name)) symlinkSync(join(libraries, name), inside(`libraries/${basename(name)}`));
        }
        writeFileSync(inside('enabled_plugins'), '[].\n');
        writeFileSync(
            inside('rabbitmq.conf'),
            [
                `listeners.tcp.1 = 127.0.0.1:${this.port}`,
                'vm_memory_high_watermark.absolute = 512MB',
                'disk_free_limit.absolute = 1MB',
                'log.console = false',
                'log.file.level = warning',
                '',
            ].join('\n'),
        );
        this.env = {
            PATH: process.env.PATH,
            LANG: 'C.UTF-8',
            HOME: inside('home'),
            RABBITMQ_NODENAME: `vc${this.port}@localhost`,
            RABBITMQ_MNESIA_BASE: inside('data'),
            RABBITMQ_LOG_BASE: inside('log'),
            RABBITMQ_CONFIG_FILE: inside('rabbitmq.conf'),
            RABBITMQ_ADVANCED_CONFIG_FILE: inside('advanced.config'),
            RABBITMQ_GENERATED_CONFIG_DIR: inside('config'),
            RABBITMQ_CONF_ENV_FILE: inside('rabbitmq-env.conf'),
            RABBITMQ_ENABLED_PLUGINS_FILE: inside('enabled_plugins'),
            RABBITMQ_PLUGINS_DIR: inside('libraries'),
            RABBITMQ_PID_FILE: inside('pid'),
            RABBITMQ_DIST_PORT: String(this.distributionPort),
            ERL_EPMD_PORT: String(this.mapperPort),
            ERL_EPMD_ADDRESS: '127.0.0.1',
            ERL_CRASH_DUMP_SECONDS: '0',
            // One scheduler that sleeps when there is nothing to do; no port mapper that would outlive the broker.
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +SDio 4 +sbwt none -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
            // The start script then becomes the broker, instead of staying as its parent.
            RUNNING_UNDER_SYSTEMD: 'true',
        };
    }

    /** Starts the broker on the data that is there: after start() and after down(). */
    async boot() {
        if (!running(this.mapper)) {
            this.mapper = dependent('epmd', ['-port', String(this.mapperPort), '-address', '127.0.0.1'], { env: this.env, stdio: 'ignore' });
            while (running(this.mapper) && !(await answers(this.mapperPort))) await pause(10);
        }
        this.process = dependent(server, [], { env: this.env, cwd: this.folder, stdio: 'ignore' });
        const deadline = Date.now() + 60_000;
        while (!(await answers(this.port))) {
            if (!running(this.process)) throw new Error(`RabbitMQ ended at once:\n${this.log()}`);
            if (Date.now() > deadline) throw new Error(`RabbitMQ was not ready in time:\n${this.log()}`);
            await pause(50);
        }
        await (await this.connect()).close();
    }

    log() {
        const folder = join(this.folder, 'log');
        return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')).join('\n').slice(-20_000);
    }

    get url() {
        return `amqp://guest:guest@127.0.0.1:${this.port}/?heartbeat=10`;
    }

    /** What the service needs to find it. */
    get environment() {
        return { RABBITMQ_HOST: '127.0.0.1', RABBITMQ_PORT: String(this.port), RABBITMQ_USER: 'guest', RABBITMQ_PASSWORD: 'guest' };
    }

    /** A connection of a client; its end is expected and not an error, because tests take the broker down. */
    async connect() {
        const connection = await amqp.connect(this.url);
        connection.on('error', () => {});
        return connection;
    }

    /** Runs `use(channel)` on a connection of its own. */
    async withChannel(use) {
        const connection = await this.connect();
        try {
            const channel = await connection.createConfirmChannel();
            channel.on('error', () => {});
            const result = await use(channel);
            // Otherwise the connection's end overtakes what the channel still has to say.
            await channel.close();
            return result;
        } finally {
            await connection.close().catch(() => {});
        }
    }

    /** Messages that are ready for delivery in a queue; undefined when there is no such queue. */
    async depth(queue) {
        try {
            return await this.withChannel(async (channel) => (await channel.checkQueue(queue)).messageCount);
        } catch (error) {
            if (/NOT_FOUND|404/.test(String(error.message))) return undefined;
            throw error;
        }
    }

    /** Stops it the hard way (SIGKILL); the data stays. */
    async down() {
        if (!running(this.process)) return;
        this.process.kill('SIGKILL');
        await this.process.ended;
    }

    /** A broker that still holds its connections but does nothing. */
    freeze() {
        this.process.kill('SIGSTOP');
    }

    thaw() {
        this.process.kill('SIGCONT');
    }

    /** Ends every process of it and removes its folder. */
    async stop() {
        await this.down();
        if (running(this.mapper)) {
            this.mapper.kill('SIGKILL');
            await this.mapper.ended;
        }
        // What the broker forked ends a moment after it and may still write.
        rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    }
}
