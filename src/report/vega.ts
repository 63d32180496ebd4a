import { UnavailableError } from '../errors.js';
import { escapeHtml } from './html.js';
import { COLORS, FONT } from './palette.js';

/** A Vega-Lite specification. */
export type Spec = Readonly<Record<string, unknown>>;

/** Draws a specification as an SVG element; `name` makes its identifiers unique in the page. */
export type Draw = (spec: Spec, name: string, label: string) => Promise<string>;

const LOG_NOTHING = 0;

/** 12 px is the smallest type that survives a projector and a printed page. */
const CONFIG = {
  background: null,
  font: FONT,
  // Labels for every mark would triple the size of the page; the drawing as a whole carries one.
  aria: false,
  padding: 4,
  view: { stroke: null },
  axis: {
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    labelColor: COLORS.ink,
    titleColor: COLORS.ink,
    domainColor: COLORS.muted,
    tickColor: COLORS.muted,
    grid: false,
    tickSize: 4,
    titlePadding: 8,
  },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelColor: COLORS.ink,
    titleColor: COLORS.ink,
  },
  title: { fontSize: 13, fontWeight: 'bold', anchor: 'start', frame: 'group', color: COLORS.ink, offset: 8 },
  text: { fontSize: 12, color: COLORS.ink },
} as const;

const SILENT = {
  level: () => SILENT,
  error: () => SILENT,
  warn: () => SILENT,
  info: () => SILENT,
  debug: () => SILENT,
};

/**
 * Loads Vega and Vega-Lite, which are optional packages.
 *
 * @param load how a package is imported; another only to see what happens without one
 * @throws UnavailableError if one is absent
 */
export async function loadDrawing(
  load: (name: 'vega' | 'vega-lite') => Promise<unknown> = importPackage,
): Promise<Draw> {
  const vega = (await required('vega', load)) as typeof import('vega');
  const vegaLite = (await required('vega-lite', load)) as typeof import('vega-lite');
  return async (spec, name, label) => {
    const full = { ...spec, config: { ...CONFIG, ...(spec.config as object | undefined) } };
    const compiled = vegaLite.compile(full as never, { logger: SILENT as never });
    const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none', logLevel: LOG_NOTHING });
    try {
      return embeddable(await view.toSVG(), name, label);
    } finally {
      view.finalize();
    }
  };
}

function importPackage(name: 'vega' | 'vega-lite'): Promise<unknown> {
  return name === 'vega' ? import('vega') : import('vega-lite');
}

async function required(
  name: 'vega' | 'vega-lite',
  load: (name: 'vega' | 'vega-lite') => Promise<unknown>,
): Promise<unknown> {
  try {
    return await load(name);
  } catch (cause) {
    throw new UnavailableError(
      `report: the optional package ${name} that draws the figures is not installed; run npm install vega vega-lite`,
      { cause },
    );
  }
}

/**
 * Makes a stand-alone drawing part of a page: no namespaces to fetch, a name for readers, and identifiers of its own. Vega
 * counts identifiers through the life of the process; counted anew here, the same record gives the same page.
 */
function embeddable(svg: string, name: string, label: string): string {
  const ids = [...svg.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id);
  const renamed = (id: string) => `${name}-${ids.indexOf(id) + 1}`;
  return svg
    .slice(svg.indexOf('<svg'))
    .replaceAll(/ xmlns(:xlink)?="[^"]*"/g, '')
    .replaceAll(/\bid="([^"]+)"/g, (_, id) => `id="${renamed(id)}"`)
    .replaceAll(/url\(#([^)]+)\)/g, (_, id) => `url(#${renamed(id)})`)
    .replace('<svg', `<svg role="img" aria-label="${escapeHtml(label)}"`);
}
