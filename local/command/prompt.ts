import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { StartError } from '../start-error';

export interface Question {
  readonly text: string;
  /** The answer is not shown. */
  readonly secret?: boolean;
}

export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

/**
 * Asks one question after the other, each until it has an answer. One reader for all of them, which changes over within the
 * same turn: between two readers the terminal itself would show a secret that is typed ahead or pasted.
 *
 * @param signal ends the questions
 * @returns the answers in order, without the spaces around them
 * @throws StartError after Ctrl-C, Ctrl-D, or the end of the input
 */
export function ask(
  questions: readonly Question[],
  { input, output }: Terminal,
  signal: AbortSignal,
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const answers: string[] = [];
    let hidden = false;
    const screen = new Writable({
      write(chunk, _encoding, done) {
        if (!hidden) output.write(chunk);
        done();
      },
    });
    const reader = createInterface({ input, output: screen, terminal: true, historySize: 0, signal });
    const next = () => {
      const question = questions[answers.length];
      if (!question) return reader.close();
      hidden = false;
      reader.setPrompt(question.text);
      reader.prompt();
      hidden = question.secret === true;
    };
    reader.on('line', (line) => {
      if (hidden) output.write('\n');
      if (line.trim() !== '') answers.push(line.trim());
      next();
    });
    reader.once('close', () => {
      if (answers.length === questions.length) return resolve(answers);
      output.write('\n');
      reject(new StartError('Ended at the question: nothing has been started.'));
    });
    next();
  });
}
