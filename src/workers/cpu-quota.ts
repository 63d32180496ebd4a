import { readFileSync } from 'node:fs';

/**
 * The tightest CPU quota of this process's control groups (versions 1 and 2) in processors, or null. Node counts the
 * processors of the affinity mask, which a quota, as containers and batch systems set it, leaves as they are.
 *
 * @param read the text of a file, undefined where there is none
 */
export function cpuQuota(read: (path: string) => string | undefined = readText): number | null {
  const quotas = (read('/proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    const [, controllers, ...rest] = line.split(':');
    if (rest.length === 0) return [];
    const root = controllers === '' ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controllers}`;
    if (controllers !== '' && !controllers.split(',').includes('cpu')) return [];
    return foldersUpTo(root, rest.join(':')).map((folder) => {
      const [quota, period] =
        controllers === ''
          ? (read(`${folder}/cpu.max`) ?? '').split(' ')
          : [read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)];
      // Without a limit the quota is 'max' in version 2 and -1 in version 1.
      return Number(quota) > 0 ? Number(quota) / Number(period) : Number.NaN;
    });
  });
  const limits = quotas.filter(Number.isFinite);
  return limits.length > 0 ? Math.min(...limits) : null;
}

/** A limit anywhere above a control group limits it too; in a container its own may be mounted at the root. */
function foldersUpTo(root: string, path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return Array.from({ length: names.length + 1 }, (_, depth) => [root, ...names.slice(0, depth)].join('/'));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
