import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { ask, type Question } from '../../../local/command/prompt';

const QUESTIONS: Question[] = [{ text: 'Client id: ' }, { text: 'Client secret: ', secret: true }];

/** A terminal: what is typed into it, and what a person sees. */
function terminal() {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: vi.fn() });
  const output = new PassThrough();
  let seen = '';
  output.setEncoding('utf8').on('data', (text) => {
    seen += text;
  });
  return { input, output, seen: () => seen };
}

const never = new AbortController().signal;

describe('the questions at the prompt', () => {
  test('show the first answer and never the secret one, typed or corrected', async () => {
    const screen = terminal();
    const answers = ask(QUESTIONS, screen, never);
    screen.input.write('my-ix');
    screen.input.write('\x7fd\r');
    await expect.poll(screen.seen).toContain('Client secret: ');
    for (const key of 'hush-huss\x7fh\r') screen.input.write(key);
    expect(await answers).toEqual(['my-id', 'hush-hush']);
    expect(screen.seen()).toContain('my-ix');
    expect(screen.seen()).not.toContain('h');
  });

  test('take both answers from one paste, and show the first alone', async () => {
    const screen = terminal();
    const answers = ask(QUESTIONS, screen, never);
    screen.input.write('my-id\rhush-hush\r');
    expect(await answers).toEqual(['my-id', 'hush-hush']);
    expect(screen.seen()).toContain('my-id');
    expect(screen.seen()).not.toContain('hush');
  });

  test('ask again for an empty answer, and leave the spaces around one out', async () => {
    const screen = terminal();
    const answers = ask(QUESTIONS, screen, never);
    screen.input.write('\r  \r my-id \r\r hush\r');
    expect(await answers).toEqual(['my-id', 'hush']);
    expect(screen.seen().split('Client id: ')).toHaveLength(4);
    expect(screen.seen().split('Client secret: ')).toHaveLength(3);
  });

  test.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ])('end with %s, also in the middle, and give the terminal back', async (_, key) => {
    const screen = terminal();
    const answers = ask(QUESTIONS, screen, never);
    screen.input.write('my-id\r');
    screen.input.write(key);
    await expect(answers).rejects.toThrow('nothing has been started');
    expect(screen.input.setRawMode.mock.calls).toEqual([[true], [false]]);
    expect(screen.seen()).toMatch(/\n$/);
  });

  test('end with the input, and with the signal', async () => {
    const gone = terminal();
    const first = ask(QUESTIONS, gone, never);
    gone.input.end();
    await expect(first).rejects.toThrow('nothing has been started');

    const ending = new AbortController();
    const second = ask(QUESTIONS, terminal(), ending.signal);
    ending.abort();
    await expect(second).rejects.toThrow('nothing has been started');
  });
});
