// What a refusal must look like, whatever was wrong: a sentence on standard error, the right exit status, no signal, no
// sanitizer's report.
import assert from 'node:assert/strict';

// Runs sv and expects @status (a number, or a list of them) and @message in what it says.
export async function refused(world, args, status, message, options = {}) {
  const result = await world.sv(args, { ...options, expect: null });
  const shown = `sv ${args.map((arg) => arg.slice(0, 80)).join(' ')}: ${result.status} ${result.stderr.slice(0, 400)}`;
  assert.ok([status].flat().includes(result.status), `${shown}\nexpected ${status}`);
  assert.doesNotMatch(result.stderr, /Sanitizer|runtime error:|CRITICAL|WARNING \*\*|assertion/, shown);
  assert.match(result.stderr + result.stdout, message, shown);
  assert.doesNotMatch(result.stderr, /[\x00-\x08\x0b-\x1f\x7f\u202e]/, `what is quoted from outside is printable: ${shown}`);
  return result;
}
