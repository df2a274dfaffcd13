import { consumers } from './consumers';

consumers({
  name: 'npm',
  install: ['npm', 'install', '--prefer-offline', '--no-audit', '--no-fund'],
  exec: ['npx', '--no'],
  symlinks: false,
});
