/** What everyone who verifies an access token by hand needs at least. */
export { createLocalJWKSet, jwtVerify } from 'jose';
