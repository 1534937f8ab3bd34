import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { before, describe, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import forge from 'node-forge';
import {
  type IssuedCertificates,
  issueCertificates,
  issueLeaf,
  serviceDnsNames,
} from '../../../src/certificates/issue.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const dnsNames = serviceDnsNames('belay', 'belay-system');
const now = Math.floor(Date.now() / 1000) * 1000;

const extension = (pem: string, name: string): Record<string, unknown> =>
  forge.pki.certificateFromPem(pem).getExtension(name) as Record<string, unknown>;

/** A handshake as the API server makes it: with this address, verified for the name of the Service. */
const handshake = async (served: { cert: string; key: string }, ca: string, servername: string): Promise<string> => {
  const server = createServer({ cert: served.cert, key: served.key });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ca, servername });
  try {
    await once(socket, 'secureConnect');
    return socket.authorized ? 'trusted' : String(socket.authorizationError);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
    server.close();
  }
};

describe('issued certificates', () => {
  let issued: IssuedCertificates;
  let other: IssuedCertificates;
  let ca: X509Certificate;
  let leaf: X509Certificate;

  before(async () => {
    [issued, other] = await Promise.all([issueCertificates({ now, dnsNames }), issueCertificates({ now, dnsNames })]);
    ca = new X509Certificate(issued.ca);
    leaf = new X509Certificate(issued.cert);
  });

  test('the serving certificate is signed by its authority, and by no other authority', () => {
    assert.equal(leaf.checkIssued(ca), true);
    assert.equal(leaf.verify(ca.publicKey), true);
    assert.equal(leaf.verify(new X509Certificate(other.ca).publicKey), false);
    assert.equal(ca.verify(ca.publicKey), true);
  });

  for (const [name, covered] of [
    ['belay.belay-system.svc', true],
    ['belay.belay-system.svc.cluster.local', true],
    ['belay.belay-system', true],
    ['belay', false],
    ['other.belay-system.svc', false],
    ['localhost', false],
  ] as const) {
    test(`the serving certificate is ${covered ? '' : 'not '}valid for ${name}`, () => {
      assert.equal(leaf.checkHost(name, { subject: 'never' }), covered ? name : undefined);
    });
  }

  test('a client that trusts the authority completes a handshake for the name of the Service', async () => {
    assert.equal(await handshake(issued, issued.ca, 'belay.belay-system.svc'), 'trusted');
  });

  test('a client refuses another name, and another authority', async () => {
    assert.equal(await handshake(issued, issued.ca, 'belay.other.svc'), 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.equal(await handshake(issued, other.ca, 'belay.belay-system.svc'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('a renewed certificate is trusted through the same authority and has a key of its own', async () => {
    const renewed = await issueLeaf({ cert: issued.ca, key: issued.caKey }, { now, dnsNames });
    assert.equal(await handshake(renewed, issued.ca, 'belay.belay-system.svc'), 'trusted');
    assert.notEqual(renewed.key, issued.key);
  });

  test('only the authority may sign, and the serving certificate only serves', () => {
    assert.equal(ca.ca, true);
    assert.equal(leaf.ca, false);
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1']);
    assert.partialDeepStrictEqual(extension(issued.ca, 'keyUsage'), {
      critical: true,
      keyCertSign: true,
      digitalSignature: false,
    });
    assert.partialDeepStrictEqual(extension(issued.cert, 'keyUsage'), {
      critical: true,
      keyCertSign: false,
      digitalSignature: true,
      keyEncipherment: true,
    });
    assert.partialDeepStrictEqual(extension(issued.ca, 'basicConstraints'), { critical: true, cA: true });
  });

  test('the serving certificate names the key that signed it', () => {
    const authorityKey = extension(issued.ca, 'subjectKeyIdentifier').subjectKeyIdentifier as string;
    const value = extension(issued.cert, 'authorityKeyIdentifier').value as string;
    assert.match(authorityKey, /^[0-9a-f]{40}$/);
    // The DER of a SEQUENCE with one [0] of 20 bytes (RFC 5280 4.2.1.1).
    assert.equal(forge.util.bytesToHex(value), `30168014${authorityKey}`);
    assert.notEqual(extension(issued.cert, 'subjectKeyIdentifier').subjectKeyIdentifier, authorityKey);
  });

  test('both are valid from an hour ago, the authority for ten years and the serving certificate for one year', () => {
    assert.equal(ca.validFromDate.getTime(), now - HOUR_MS);
    assert.equal(leaf.validFromDate.getTime(), now - HOUR_MS);
    assert.equal(leaf.validToDate.getTime(), now + YEAR_MS);
    assert.equal(Math.round((ca.validToDate.getTime() - now) / YEAR_MS), 10);
  });

  test('a serving certificate does not outlive its authority', async () => {
    const late = await issueLeaf({ cert: issued.ca, key: issued.caKey }, { now: now + 9.5 * YEAR_MS, dnsNames });
    assert.equal(new X509Certificate(late.cert).validTo, ca.validTo);
  });

  test('no two serial numbers are alike', () => {
    const serials = [issued.ca, issued.cert, other.ca, other.cert].map((pem) => new X509Certificate(pem).serialNumber);
    assert.equal(new Set(serials).size, serials.length);
    assert.deepEqual(new Set(serials.map((serial) => serial.length)), new Set([32]));
  });

  for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
    test(`a serial number is positive and 16 bytes long even if every random byte is ${byte}`, async () => {
      const made = await issueLeaf(
        { cert: issued.ca, key: issued.caKey },
        { now, dnsNames, random: (bytes) => new Uint8Array(bytes).fill(byte) },
      );
      assert.match(new X509Certificate(made.cert).serialNumber, /^[4-7][0-9A-F]{31}$/);
    });
  }
});
