import path from 'node:path';

const NOT_WORK = new Set(['(idle)', '(root)']);

/** Sums a .cpuprofile by function and by package: self time in ms, the longest first. Time that the process slept is left out. */
export function selfTimes(profile, root) {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  /** Native code says nothing of whose work it does: whoever in JavaScript called it does. */
  const callerOf = (id) => {
    let caller = id;
    while (caller !== undefined && !frames.get(caller).url) caller = parents.get(caller);
    return caller === undefined ? undefined : frames.get(caller);
  };
  const [functions, packages] = [new Map(), new Map()];
  let totalMs = 0;
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id);
    if (NOT_WORK.has(frame.functionName)) return;
    const ms = Math.max(0, profile.timeDeltas[index]) / 1000;
    totalMs += ms;
    const caller = frame.url || frame.functionName.startsWith('(') ? frame : callerOf(id) ?? frame;
    const by = caller === frame ? '' : `by ${caller.functionName || '(anonymous)'}  `;
    add(functions, `${frame.functionName || '(anonymous)'}  ${by}${placeOf(caller, root)}`, ms);
    add(packages, packageOf(caller), ms);
  });
  return { totalMs, functions: longestFirst(functions), packages: longestFirst(packages) };
}

const add = (sums, name, ms) => sums.set(name, (sums.get(name) ?? 0) + ms);
const longestFirst = (sums) => [...sums].sort(([, a], [, b]) => b - a).map(([name, ms]) => ({ name, ms }));

function placeOf({ url, lineNumber }, root) {
  if (!url) return '';
  const file = url.startsWith('file://') ? path.relative(root, new URL(url).pathname) : url;
  return `${file.replace(/^.*node_modules\//, '')}:${lineNumber + 1}`;
}

/** Whose code a function is: a package of node_modules, ours by folder, or Node itself. */
function packageOf({ url, functionName }) {
  if (!url) return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const installed = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return installed ?? `dist/src/${/dist\/src\/([^/]+)/.exec(url)?.[1] ?? '?'}`;
}
