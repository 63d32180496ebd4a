import { VERSION } from '../version.js';
import { type Html, html, trusted } from './html.js';
import { STYLE } from './style.js';

/** A whole HTML page that needs nothing beside it. `version` is that of the equiflow whose results it shows. */
export function document({ title, body, version = VERSION }: { title: string; body: Html; version?: string }): string {
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="equiflow ${version}">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.markup;
}
