// Two processes on one PostgreSQL behind nginx, to be used in place of one server: requests go to either in turn.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free_port.js';
import { Server } from './server.js';

const program = process.env.NGINX ?? '/usr/sbin/nginx';

const configuration = (folder, port, nodes) => `
daemon off;
${process.getuid() === 0 ? 'user root;' : ''}
pid ${folder}/pid;
error_log ${folder}/errors warn;
events { worker_connections 1024; }
http {
    access_log off;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${folder}/${each};`).join('\n    ')}
    upstream nodes {
        ${nodes.map((node) => `server 127.0.0.1:${node.port} max_fails=0;`).join('\n        ')}
        keepalive 16;
    }
    map $http_upgrade $connection_wanted { default upgrade; '' ''; }
    server {
        listen 127.0.0.1:${port};
        client_max_body_size 1m;
        client_body_buffer_size 1m;
        large_client_header_buffers 4 32k;
        merge_slashes off;
        ignore_invalid_headers off;
        location / {
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_wanted;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
        }
    }
}
`;

export class Several {
    static async start({ env = {}, databaseUrl }) {
        const several = new Several();
        several.nodes = [];
        several.folderOfNginx = mkdtempSync(join(tmpdir(), 'vc-nginx-'));
        const port = await freePort();
        several.url = `http://127.0.0.1:${port}`;
        try {
            for (let number = 0; number < 2; ++number) {
                several.nodes.push(await Server.start({ databaseUrl, env: (self) => ({ NODE_URL: self.url, PUBLIC_HOST: several.url, TRUSTED_PROXIES: '127.0.0.1', ...env }) }));
            }
            writeFileSync(join(several.folderOfNginx, 'nginx.conf'), configuration(several.folderOfNginx, port, several.nodes));
            several.nginx = spawn('setpriv', ['--pdeathsig', 'TERM', '--', program, '-p', several.folderOfNginx, '-c', 'nginx.conf'], { stdio: 'ignore' });
            several.nginxEnded = new Promise((resolve) => several.nginx.once('close', resolve));
            for (let tries = 0; !(await fetch(`${several.url}/health/ready`).then((answer) => answer.ok, () => false)); ++tries) {
                if (tries > 500) throw new Error('nginx does not answer');
                await new Promise((resolve) => setTimeout(resolve, 20));
            }
        } catch (error) {
            await several.stop();
            throw error;
        }
        return several;
    }

    /** Whoever wants a connection of their own, without nginx in between, or a look at a process, gets the first. */
    get port() {
        return this.nodes[0].port;
    }
    get mediaPort() {
        return this.nodes[0].mediaPort;
    }
    get process() {
        return this.nodes[0].process;
    }
    get folder() {
        return this.nodes[0].folder;
    }
    get env() {
        return this.nodes[0].env;
    }
    get secret() {
        return this.nodes[0].secret;
    }
    get log() {
        return this.nodes.map((node) => node.log).join('\n');
    }
    token(...words) {
        return this.nodes[0].token(...words);
    }
    async boot() {
        await Promise.all(this.nodes.map((node) => node.boot()));
    }
    async terminate() {
        return (await Promise.all(this.nodes.map((node) => node.terminate())))[0];
    }
    async kill() {
        await Promise.all(this.nodes.map((node) => node.kill()));
    }

    async stop() {
        if (this.nginx?.exitCode === null) {
            this.nginx.kill('SIGTERM');
            await this.nginxEnded;
        }
        const [end] = await Promise.all(this.nodes.map((node) => node.stop()));
        rmSync(this.folderOfNginx, { recursive: true, force: true });
        return end;
    }
}
