// Does c2pa-ts agree? `node check.mjs FOLDER`: every PNG and JPEG there must be without a failure. It knows no trust lists, and so
// says nothing of the signer.
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { JPEG, PNG } from '@trustnxt/c2pa-ts/asset';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ManifestStore, ValidationResult } from '@trustnxt/c2pa-ts/manifest';

async function failures(bytes) {
    const asset = PNG.canRead(bytes) ? new PNG(bytes) : new JPEG(bytes);
    try {
        const jumbf = asset.getManifestJUMBF();
        if (!jumbf) return ['no manifest'];
        const result = await ManifestStore.read(SuperBox.fromBuffer(jumbf)).validate(asset);
        const codes = result.statusEntries.filter((entry) => !entry.success).map((entry) => entry.code);
        return result.isValid ? codes : [...codes, 'not valid'];
    } catch (error) {
        return ValidationResult.fromError(error).statusEntries.map((entry) => entry.code);
    }
}

const folder = process.argv[2];
const names = (await fs.readdir(folder)).filter((name) => /\.(png|jpg)$/.test(name));
let complaints = 0;
for (const name of names) {
    const codes = (await failures(await fs.readFile(join(folder, name)))).filter((code) => code !== 'signingCredential.untrusted');
    if (codes.length > 0) {
        complaints += 1;
        console.log(`${name}: c2pa-ts: ${codes.join(' ')}`);
    }
}
console.log(`${names.length} files, c2pa-ts: ${complaints} complaints`);
process.exit(complaints > 0 || names.length === 0 ? 1 : 0);
