import { Composer, type Document, isNode, isScalar, Lexer, LineCounter, Parser, visit } from 'yaml';
import { DataError } from '../errors.js';
import { brief } from './text.js';

/** Longer texts take many seconds to parse; a pair table of 65536 points stays below. */
const MAXIMUM_CHARACTERS = 4 * 2 ** 20;

/** The parser recurses once a level; where its stack ends, V8 may abort the process instead of throwing. */
const MAXIMUM_DEPTH = 64;

/**
 * Parses one YAML document, of which JSON is a part, in time and memory linear in its length: without aliases, which make
 * a small file expand without bound, and with every key a plain value that appears once in its map.
 *
 * @param source name of the file, for messages
 * @throws DataError naming line and column of the first mistake
 */
export function parseYaml(text: string, source: string): unknown {
  const fail = (what: string): never => {
    throw new DataError(`${source}: ${what}`);
  };
  if (text.length > MAXIMUM_CHARACTERS) {
    fail(`text of ${text.length} characters, expected at most ${MAXIMUM_CHARACTERS}`);
  }
  const lines = new LineCounter();
  lines.addNewLine(0);
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  const composer = new Composer({
    // Whatever version a file declares, it means numbers, texts, truth values, lists and maps.
    schema: 'core',
    resolveKnownTags: false,
    // Compares each key with every other; checkNodes does it in one pass.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  const tokens = boundedTokens(text, lines, (offset) =>
    fail(`${place(offset)}: more than ${MAXIMUM_DEPTH} levels deep`),
  );
  const [document, second] = composer.compose(tokens, true, text.length);
  const mistake = document.errors[0] ?? document.warnings[0];
  if (mistake !== undefined) {
    fail(`${place(mistake.pos[0])}: not valid JSON or YAML: ${mistake.message.replace(/\s+/g, ' ')}`);
  }
  if (second !== undefined) fail('several documents, expected one');
  checkNodes(document, (offset, what) => fail(`${place(offset)}: ${what}`));
  return document.toJS({ maxAliasCount: 0 });
}

/** The tokens of a text, as long as its levels stay few. */
function* boundedTokens(text: string, lines: LineCounter, tooDeep: (offset: number) => never) {
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MAXIMUM_DEPTH) tooDeep(parser.offset);
  }
  yield* parser.end();
}

function checkNodes(document: Document, refuse: (offset: number, what: string) => never): void {
  visit(document, {
    Alias: (_, { range }) => refuse(range?.[0] ?? 0, 'an alias, expected the value itself'),
    Map: (_, map) => {
      const keys = new Set<string>();
      for (const { key } of map.items) {
        const offset = (isNode(key) && key.range ? key.range : map.range)?.[0] ?? 0;
        if (!isScalar(key)) return refuse(offset, 'a key that is a collection, expected a text');
        const name = String(key.value);
        if (keys.has(name)) refuse(offset, `the key ${brief(name)} twice, expected once`);
        keys.add(name);
      }
    },
  });
}
