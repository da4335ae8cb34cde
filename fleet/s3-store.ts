/** @file A store in a bucket of an S3-compatible service. The only one that knows its client, which is loaded when it is needed. */
import type { ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import { complain } from '../foundation/index.js';
import type { BlobStore } from './blobs.js';
import { telling } from './store-error.js';

/** The service takes no more at once. */
const MOST_REMOVED = 1000;

/**
 * @param address `s3://BUCKET/PREFIX[?endpoint=URL&region=NAME]`; credentials, and what it does not say, as every client of S3 has them from
 *   the environment. @throws FLEET_STORE_ADDRESS
 */
export async function s3Store(address: URL): Promise<BlobStore> {
  const { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand } =
    await import('@aws-sdk/client-s3');
  const Bucket = address.hostname || refuse('no bucket');
  const prefix = address.pathname.replace(/^\/|\/$/g, '');
  const under = (name: string): string => (prefix ? `${prefix}/${name}` : name);
  const client = await clientFor(address);
  const shown = `s3://${Bucket}/${prefix}`;
  const kept = telling(shown);
  return {
    shown,
    put: (name, bytes) =>
      kept(async () => {
        await client.send(new PutObjectCommand({ Bucket, Key: under(name), Body: bytes }));
      }),
    get: (name) =>
      kept(async () => {
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: under(name) }));
          return await Body?.transformToByteArray();
        } catch (error) {
          if (error instanceof NoSuchKey) return undefined;
          throw error;
        }
      }),
    list: (start) =>
      kept(async () => {
        const names: string[] = [];
        let ContinuationToken: string | undefined;
        do {
          const page: ListObjectsV2CommandOutput = await client.send(
            new ListObjectsV2Command({ Bucket, Prefix: under(start), ContinuationToken }),
          );
          for (const { Key = '' } of page.Contents ?? [])
            names.push(prefix ? Key.slice(prefix.length + 1) : Key);
          ContinuationToken = page.NextContinuationToken;
        } while (ContinuationToken !== undefined);
        return names;
      }),
    remove: (names) =>
      kept(async () => {
        for (let at = 0; at < names.length; at += MOST_REMOVED) {
          const Objects = names.slice(at, at + MOST_REMOVED).map((name) => ({ Key: under(name) }));
          await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
        }
      }),
  };
}

async function clientFor({ searchParams }: URL): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const endpoint = searchParams.get('endpoint');
  return new S3Client({
    region: searchParams.get('region') ?? process.env['AWS_REGION'] ?? 'us-east-1',
    forcePathStyle: true,
    // Services that are not Amazon's do not all know the newer checksums; what is read is checked against its name.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint !== null && { endpoint }),
  });
}

function refuse(got: string): never {
  return complain({
    code: 'FLEET_STORE_ADDRESS',
    owner: '--store',
    expected: 's3://BUCKET/PREFIX',
    got,
    hint: 'see docs/fleet.md',
  });
}
