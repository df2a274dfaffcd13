import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium, type LaunchOptions } from 'playwright-core';

/** Nothing but this machine is there for it: a page that loads something from elsewhere fails. */
const OFFLINE = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1';

/** Glyphs of the same width on every machine, so that nothing wraps differently in a screenshot. */
const SAME_EVERYWHERE = ['--font-render-hinting=none', '--disable-lcd-text'];

/**
 * Starts a browser without a window. What keeps sites apart stays switched on, unlike in the arguments that
 * @sparticuz/chromium proposes: cookies and Content-Security-Policy are what is tested with it.
 *
 * The environment variable `CHROME_PATH` names another Chromium or Chrome than the one chosen here.
 *
 * @throws Error that says what to install
 */
export async function launchChromium(): Promise<Browser> {
  // Chromium's own sandbox needs rights that neither root nor an ordinary container has.
  const args = ['--no-sandbox', '--disable-gpu', OFFLINE, ...SAME_EVERYWHERE];
  try {
    return await chromium.launch({ args, ...(await chosenBrowser()) });
  } catch (error) {
    throw new Error(
      'No browser starts. Install Google Chrome, or name a Chromium or Chrome in CHROME_PATH. ' +
        '(On Linux x64 the package @sparticuz/chromium, which npm ci installs, brings one that needs glibc 2.34 or newer.)',
      { cause: error },
    );
  }
}

async function chosenBrowser(): Promise<LaunchOptions> {
  const { CHROME_PATH } = process.env;
  if (CHROME_PATH) return { executablePath: CHROME_PATH };
  return process.platform === 'linux' && process.arch === 'x64' ? unpackedChromium() : { channel: 'chrome' };
}

/** The Chromium of @sparticuz/chromium with its font and the libraries that a bare machine does not have. */
async function unpackedChromium(): Promise<LaunchOptions> {
  // A process of its own: the package takes the directory from the environment, and two that unpack into one meet halves.
  const directory = await mkdtemp(join(tmpdir(), 'chromium-'));
  const unpack = "import('@sparticuz/chromium').then((module) => module.default.executablePath()).then(console.log)";
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', unpack], {
    cwd: __dirname,
    // It unpacks the libraries only where it takes the machine for AWS Lambda's.
    env: { ...process.env, TMPDIR: directory, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
  });
  const executablePath = stdout.trim();
  // The package's own configuration looks for its font in /tmp, wherever it has unpacked it, and text without a font is
  // of no size: hidden.
  const fonts = join(directory, 'fonts.conf');
  await writeFile(
    fonts,
    `<fontconfig><dir>${join(directory, 'fonts')}</dir><cachedir>${join(directory, 'font-cache')}</cachedir></fontconfig>`,
  );
  const libraries = join(dirname(executablePath), 'al2023', 'lib');
  if (!existsSync(libraries)) throw new Error(`@sparticuz/chromium has unpacked no libraries into ${libraries}`);
  return {
    executablePath,
    env: {
      ...process.env,
      LD_LIBRARY_PATH: [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
      FONTCONFIG_FILE: fonts,
    },
  };
}
