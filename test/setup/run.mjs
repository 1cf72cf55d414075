// Runs one command to its end. A signal to us ends it, too: an installation must not go on behind one's back.
import { spawn } from 'node:child_process';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Resolves with { code, output }. A command that cannot be found has the code 127. With `show` the command writes
 * to our terminal and `output` is empty.
 */
export function run(command, args, { show = false, cwd, env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    let told;
    const pass = (signal) => {
      told = signal;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, pass);
    const finish = (code) => {
      for (const signal of SIGNALS) process.off(signal, pass);
      if (told !== undefined) process.kill(process.pid, told);
      else resolve({ code, output });
    };
    child.once('error', (error) => {
      output += String(error);
      finish(127);
    });
    child.once('close', (code) => finish(code ?? 1));
  });
}
