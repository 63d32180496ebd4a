import test from 'ava';
import { cpuQuota } from '../../src/workers/cpu-quota.js';

test('the tightest CPU quota above the process counts, in both versions of control groups', (t) => {
  const quota = (files: Record<string, string>) => cpuQuota((path) => files[path]);
  const self = '/proc/self/cgroup';
  t.is(quota({}), null);
  t.is(quota({ [self]: '0::/job/step', '/sys/fs/cgroup/job/step/cpu.max': 'max 100000' }), null);
  const outer = { '/sys/fs/cgroup/job/cpu.max': '150000 100000' };
  t.is(quota({ [self]: '0::/job/step', ...outer, '/sys/fs/cgroup/job/step/cpu.max': '400000 100000' }), 1.5);
  t.is(quota({ [self]: '0::/../elsewhere', '/sys/fs/cgroup/cpu.max': '50000 100000' }), 0.5);
  const first = (microseconds: string) => ({
    [self]: '5:memory:/a\n4:cpu,cpuacct:/a',
    '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us': microseconds,
    '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us': '100000',
  });
  t.is(quota(first('200000')), 2);
  t.is(quota(first('-1')), null);
});
