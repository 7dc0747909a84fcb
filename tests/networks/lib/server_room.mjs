// A second network behind a cable: the test runs in a network namespace of its own (tools/own-network), the servers in
// another one, and between them is a pair of virtual interfaces.
import { spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { until } from '../../e2e/lib/service.mjs';

const network = (pid) => readlinkSync(`/proc/${pid}/ns/net`);

function must(command, ...words) {
    const { status, stderr } = spawnSync(command, words, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
}

export class ServerRoom {
    static async build() {
        const room = new ServerRoom();
        room.here = '10.77.0.1';
        room.there = '10.77.0.2';
        const own = network('self');
        room.keeper = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
        await until('the second network', () => network(room.keeper.pid) !== own);
        must('ip', 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', String(room.keeper.pid));
        must('ip', 'address', 'add', `${room.here}/24`, 'dev', 'cable');
        must('ip', 'link', 'set', 'cable', 'up');
        for (const words of [['link', 'set', 'lo', 'up'], ['address', 'add', `${room.there}/24`, 'dev', 'cable'], ['link', 'set', 'cable', 'up']]) {
            must(...room.within, 'ip', ...words);
        }
        return room;
    }

    /** What to put before a command to run it there. */
    get within() {
        return ['nsenter', '--target', String(this.keeper.pid), '--net'];
    }

    /** From now on this side's network lets no UDP out. */
    blockUdp() {
        must('ip', 'rule', 'add', 'ipproto', 'udp', 'prohibit');
    }

    allowUdp() {
        must('ip', 'rule', 'delete', 'ipproto', 'udp', 'prohibit');
    }

    /** This side's address in one more network on the same cable, from which the servers can be reached as well. */
    addNetwork(number) {
        const address = `10.${number}.0.1`;
        must('ip', 'address', 'add', `${address}/24`, 'dev', 'cable');
        must(...this.within, 'ip', 'address', 'add', `10.${number}.0.2/24`, 'dev', 'cable');
        return address;
    }

    /** This side's address is gone, as after leaving a network. */
    leaveNetwork(address) {
        must('ip', 'address', 'delete', `${address}/24`, 'dev', 'cable');
        must('ip', 'route', 'replace', `${this.there}/32`, 'dev', 'cable');
    }

    close() {
        this.keeper.kill('SIGKILL');
    }
}
