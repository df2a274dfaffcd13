import { App, Duration } from 'aws-cdk-lib';
import { NotesStack } from '../examples/notes-stack';

const app = new App();

// For tests, which cannot wait for an hour: `cdk synth -c lifetimes='{"accessToken":5}'`, in seconds.
const seconds = JSON.parse(app.node.tryGetContext('lifetimes') ?? '{}') as Record<string, number>;
const lifetimes = Object.fromEntries(
  Object.entries(seconds).map(([name, lifetime]) => [name, Duration.seconds(lifetime)]),
);

new NotesStack(app, 'McpOidcAuth', {
  description: 'An MCP server that keeps notes, behind the MCP authorization server.',
  auth: { lifetimes },
});
