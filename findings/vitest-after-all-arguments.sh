#!/usr/bin/env bash
# vitest 4.1.12: afterAll takes (context, suite), and a plain parameter name in the first place type-checks but fails at run time.
# Guess: what the types accept runs; the name of a callback's parameter is nobody's business.
# Seen: afterAll((_context, suite) => …) passes tsc --strict, then the file fails with FixtureParseError, since vitest reads the
#       function's source text; afterAll(({}, suite) => …) runs.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund vitest@4.1.12 typescript@6.0.3
test_with() {
  cat > run.test.ts <<TS
import { afterAll, expect, test } from 'vitest';
afterAll(($1, suite) => { console.log('suite has', suite.tasks.length, 'task'); });
test('one', () => { expect(1).toBe(1); });
TS
  npx tsc --noEmit --strict --skipLibCheck --target es2022 --module nodenext run.test.ts && echo "types: fine for ($1, suite)"
  NO_COLOR=1 npx vitest run --root . --reporter=default > out.txt 2>&1
}
if test_with _context; then echo 'it runs now'; exit 1; fi
grep -o 'FixtureParseError: .*' out.txt | head -1
test_with '{}'
grep -o 'suite has 1 task' out.txt
