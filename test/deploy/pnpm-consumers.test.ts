import { consumers } from './consumers';

const PNPM = ['npx', '--yes', 'pnpm@10.34.9'];

// It installs packages behind symbolic links, and lets each see only what it declares.
consumers({ name: 'pnpm', install: [...PNPM, 'add', '--prefer-offline'], exec: [...PNPM, 'exec'], symlinks: true });
