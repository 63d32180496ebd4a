/** Markup that is safe to insert as it is. */
export interface Html {
  readonly markup: string;
}

type Insertable = string | number | Html | readonly Html[];

/** Text as it may stand in element content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Template that escapes every text inserted; markup and lists of markup go in as they are. */
export function html(strings: TemplateStringsArray, ...values: readonly Insertable[]): Html {
  const inserted = values.map((value) => {
    if (Array.isArray(value)) return value.map(({ markup }: Html) => markup).join('');
    return typeof value === 'object' ? (value as Html).markup : escapeHtml(String(value));
  });
  return { markup: strings.reduce((text, part, i) => text + inserted[i - 1] + part) };
}

/** Declares a string to be markup: drawings and style sheets. */
export function trusted(markup: string): Html {
  return { markup };
}

/** Indices written as "Σ_{i<j}" set as such. */
export function subscripts(text: string): Html[] {
  return text.split(/_\{([^}]*)\}/).map((part, i) => (i % 2 === 1 ? html`<sub>${part}</sub>` : html`${part}`));
}
