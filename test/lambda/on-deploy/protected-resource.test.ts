import { describe, expect, it } from 'vitest';
import { TABLE } from '../../../lib/contract';
import { configure, notes, record, request, resourceEvent, STACK } from './deployment';

describe('a protected resource', () => {
  it('is registered without an end', async () => {
    const answer = await request(resourceEvent(notes));
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: notes.identifier });
    const item = await record(notes.identifier);
    expect(JSON.parse(item!.value!.S!)).toEqual(notes);
    expect(item!.v).toEqual({ N: '1' });
    expect(item).not.toHaveProperty(TABLE.timeToLive);
  });

  it.each([
    [true, true],
    [false, undefined],
  ])('with upstreamTokens: %s has %s', async (given, recorded) => {
    await request(resourceEvent({ ...notes, upstreamTokens: given }));
    expect(JSON.parse((await record(notes.identifier))!.value!.S!).upstreamTokens).toBe(recorded);
  });

  it('is updated under the same physical id', async () => {
    await request(resourceEvent(notes));
    const renamed = { ...notes, name: 'My notes' };
    const update = { RequestType: 'Update', PhysicalResourceId: notes.identifier };
    expect(await request(resourceEvent(renamed, update))).toMatchObject({ PhysicalResourceId: notes.identifier });
    expect(JSON.parse((await record(notes.identifier))!.value!.S!).name).toBe('My notes');
  });

  it('moves: another identifier is another physical id, so that CloudFormation deletes the former', async () => {
    await request(resourceEvent(notes));
    const identifier = 'https://notes.example.com/mcp';
    const update = { RequestType: 'Update', PhysicalResourceId: notes.identifier };
    expect(await request(resourceEvent({ ...notes, identifier }, update))).toMatchObject({
      PhysicalResourceId: identifier,
    });
    await request(resourceEvent(notes, { RequestType: 'Delete', PhysicalResourceId: notes.identifier }));
    expect(await record(notes.identifier)).toBeUndefined();
    expect(await record(identifier)).toBeDefined();
  });

  it('is taken away once, and asking again is no error', async () => {
    await request(resourceEvent(notes));
    const remove = resourceEvent(notes, { RequestType: 'Delete', PhysicalResourceId: notes.identifier });
    expect(await request(remove)).toMatchObject({ Status: 'SUCCESS' });
    expect(await record(notes.identifier)).toBeUndefined();
    expect(await request(remove)).toMatchObject({ Status: 'SUCCESS' });
  });

  it('stays when its former owner is deleted: a stack that it has moved away from, or a logical id of before', async () => {
    for (const former of [{ StackId: `${STACK}-former` }, { LogicalResourceId: 'Former' }]) {
      await request(resourceEvent(notes, former));
      await request(resourceEvent(notes));
      const remove = { RequestType: 'Delete', PhysicalResourceId: notes.identifier, ...former };
      expect(await request(resourceEvent(notes, remove))).toMatchObject({ Status: 'SUCCESS' });
      expect(await record(notes.identifier)).toBeDefined();
    }
  });

  it('that failed to be registered takes nothing away when it is rolled back', async () => {
    await request(resourceEvent(notes, { LogicalResourceId: 'Other' }));
    const { PhysicalResourceId } = await request(resourceEvent({ ...notes, scopes: [] }));
    const rollback = { RequestType: 'Delete', PhysicalResourceId };
    expect(await request(resourceEvent({ ...notes, scopes: [] }, rollback))).toMatchObject({ Status: 'SUCCESS' });
    expect(await record(notes.identifier)).toBeDefined();
  });

  it('keeps its physical id where an update fails', async () => {
    await request(resourceEvent(notes));
    const update = { RequestType: 'Update', PhysicalResourceId: notes.identifier };
    expect(await request(resourceEvent('{', update))).toMatchObject({
      Status: 'FAILED',
      PhysicalResourceId: notes.identifier,
    });
    expect(JSON.parse((await record(notes.identifier))!.value!.S!)).toEqual(notes);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'Resource has to be the JSON of a protected resource'],
    ['no object', [], 'Resource has to be an object'],
    ['no identifier', { ...notes, identifier: undefined }, 'identifier has to be an absolute https URL'],
    ['a relative identifier', { ...notes, identifier: '/mcp' }, 'given: "/mcp"'],
    ['plain http', { ...notes, identifier: 'http://mcp.example.com' }, 'given: "http://mcp.example.com"'],
    ['a fragment', { ...notes, identifier: 'https://mcp.example.com/#' }, 'without a fragment'],
    ['no scopes', { ...notes, scopes: [] }, 'at least one scope'],
    ['a scope with a space', { ...notes, scopes: [{ ...notes.scopes[0], name: 'a b' }] }, 'has to be a scope token'],
    ['a scope without words', { ...notes, scopes: [{ ...notes.scopes[0], description: '' }] }, 'needs a description'],
    ['one scope twice', { ...notes, scopes: [notes.scopes[0], notes.scopes[0]] }, 'a name of its own'],
    [
      'descriptions that are no texts',
      { ...notes, scopes: [{ ...notes.scopes[0], descriptions: { de: 7 } }] },
      'given: {"de":7}',
    ],
    ['an unknown implied scope', { ...notes, scopes: [{ ...notes.scopes[0], implies: ['x'] }] }, 'given: ["x"]'],
    [
      'a text for upstreamTokens',
      { ...notes, upstreamTokens: 'true' },
      'upstreamTokens has to be true, false or absent',
    ],
    ['no default', { ...notes, default: undefined }, 'default has to be true or false'],
  ])('is refused with %s', async (_, resource, reason) => {
    expect(await request(resourceEvent(resource))).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining(reason),
    });
    expect(await record(notes.identifier)).toBeUndefined();
  });

  it('may be on loopback without TLS', async () => {
    expect(await request(resourceEvent({ ...notes, identifier: 'http://localhost:3001/mcp' }))).toMatchObject({
      Status: 'SUCCESS',
    });
  });

  it('says what AWS says where the table is not there', async () => {
    configure({ tableName: 'gone' });
    expect(await request(resourceEvent(notes))).toMatchObject({ Status: 'FAILED' });
    const remove = { RequestType: 'Delete', PhysicalResourceId: notes.identifier };
    expect(await request(resourceEvent(notes, remove))).toMatchObject({ Status: 'SUCCESS' });
  });
});
