import { type AuthorizerConfig, CONFIG } from '../../lib/contract';
import { authorizer } from './authorize';
import { metadataServer } from './serve-metadata';

const config: AuthorizerConfig = JSON.parse(process.env[CONFIG]!);

/** The Lambda authorizer. */
export const handler = authorizer(config);

/** Serves the protected resource metadata of HTTP APIs: a function of its own with the same bundle, and the metadata in its configuration. */
export const metadata = metadataServer(config.metadata ?? {});
