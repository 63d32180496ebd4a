import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, type Surroundings, succeed, until } from './commands.js';
import { freePorts } from './ports.js';

/** A machine that ssh reaches. */
export interface SshServer {
  /** As GNU parallel takes it in a list of machines: with the command that reaches it. */
  readonly login: string;
  close(): void;
}

/** A server on this machine, with keys and a port of its own. */
export async function startSshServer(folder: string, { env }: Surroundings): Promise<SshServer> {
  mkdirSync(folder);
  const here = { cwd: folder, env };
  for (const name of ['host', 'key']) await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', name], here);
  copyFileSync(join(folder, 'key.pub'), join(folder, 'authorized'));
  const [port] = await freePorts(1);
  const settings = {
    Port: port,
    ListenAddress: '127.0.0.1',
    HostKey: join(folder, 'host'),
    AuthorizedKeysFile: join(folder, 'authorized'),
    PidFile: 'none',
    // The folder of temporary files belongs to everybody.
    StrictModes: 'no',
    UsePAM: 'no',
    PermitRootLogin: 'prohibit-password',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
  writeFileSync(join(folder, 'config'), lines.join(''));
  // Where it confines itself before a login.
  mkdirSync('/run/sshd', { recursive: true });
  const log = openSync(join(folder, 'log'), 'a');
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', 'config'], { ...here, stdio: ['ignore', log, log] });
  closeSync(log);

  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes'];
  const words = ['-p', `${port}`, '-i', join(folder, 'key'), ...options.flatMap((option) => ['-o', option])];
  await until(
    'sshd answers',
    async () => (await attempt('ssh', [...words, 'root@127.0.0.1', 'true'], here)).code === 0,
    20,
  );
  return { login: `ssh ${words.join(' ')} root@127.0.0.1`, close: () => server.kill() };
}
