import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A Python of its own below `folder`, with packages at exact versions; undefined where that cannot be had. */
export function ownPython(folder, packages = []) {
  const environment = join(folder, 'venv');
  const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const quiet = { stdio: 'ignore' };
  try {
    execFileSync('python3', ['-m', 'venv', environment], quiet);
    if (packages.length > 0) {
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], quiet);
    }
    return python;
  } catch {
    return undefined;
  }
}
