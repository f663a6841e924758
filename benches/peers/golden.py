"""Makes the golden tensors that pinxit-nn's tests compare with; the layouts are told in crates/pinxit-nn/tests/golden/README.md.

    python golden.py                       own_d, projected, penalised, generator, mobilenet_v2 (without the package's original weights)
    python golden.py --original FILE       also the MobileNetV2 taps of the package's float32 weights
    python golden.py --only own_d          one of them
"""
import argparse
import pathlib

import torch
import torch.nn.functional as F

import nets
import tensors

ROOT = pathlib.Path(__file__).resolve().parents[2]
ASSET = ROOT / "assets/weights/mobilenet_v2.safetensors"
OUT = ROOT / "crates/pinxit-nn/tests/golden"
last = tensors.pixels_last


def pictures(n, height, width, colour=None, dtype=torch.float64):
    """Soft blobs on a sloping ground: content that features have something to say about, made from nothing but arithmetic."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height, dtype=dtype), torch.linspace(-1, 1, width, dtype=dtype), indexing="ij")
    out = []
    for i in range(n):
        ground, slope, hue = torch.rand(3, 3, dtype=dtype) * 2 - 1
        hue = hue if colour is None else torch.stack([torch.cos(colour[i] + k * 2.1) for k in range(3)]).to(dtype)
        a, b, size = torch.rand(3, dtype=dtype) * 1.2 - 0.6
        inside = torch.sigmoid(12 * (0.35 + 0.2 * size - ((x - a) ** 2 + (y - b) ** 2).sqrt()))
        wave = 0.3 * torch.sin(9 * x * (a + 1) + 7 * y)
        p = (ground * 0.5)[:, None, None] + slope[:, None, None] * 0.3 * y + wave
        out.append((p * (1 - inside) + hue[:, None, None] * inside).clamp(-1, 1))
    return torch.stack(out)


def named(module, prefix, get):
    """The module's parameters, or what `get` makes of them, under pinxit's names and in its order of axes."""
    return {f"{prefix}/{name}": change(get(p)) for name, (p, change) in module.golden_names().items()}


def gradients(module, loss, extra=()):
    parts = [p for p, _ in module.golden_names().values()]
    found = torch.autograd.grad(loss, [*parts, *extra])
    by_id = {id(p): g for p, g in zip(parts, found)}
    return named(module, "grad", lambda p: by_id[id(p)]), found[len(parts) :]


def own_d():
    torch.manual_seed(1)
    widths, classes, embed, gamma = [16, 24, 32], 5, 32, 4.0
    d = nets.OwnDiscriminator(widths, classes, embed).double()
    adam = torch.optim.Adam(d.parameters(), lr=2e-3, betas=(0.0, 0.99))

    def batch(n):
        labels = torch.randint(0, classes + 1, (n,))
        real = pictures(n, 32, 32, colour=labels * 1.2)
        fake = F.interpolate(torch.randn(n, 3, 8, 8, dtype=torch.float64), scale_factor=4, mode="bilinear") * 0.5
        return torch.cat([real, fake]), torch.cat([labels, labels])

    for step in range(200):
        loss = nets.relativistic_with_penalties(d, *batch(8), gamma)[0]
        adam.zero_grad()
        loss.backward()
        adam.step()
    print("own_d: loss after training %.4f" % loss.item())
    # the file holds float32: round first, so that the answers belong to the numbers in the file
    for p in d.parameters():
        p.data = p.data.float().double()
    x, labels = batch(4)
    labels[0] = labels[4] = classes
    x = x.float().double()
    loss, scores, slope, penalty = nets.relativistic_with_penalties(d, x, labels, gamma)
    grads, _ = gradients(d, loss)
    content = {"input": last(x), "labels.class": labels, "scores": scores, "input_grad": last(slope), "penalty": penalty}
    meta = dict(widths="16,24,32", embed=embed, classes=classes, height=32, width=32, gamma=gamma, loss=repr(loss.item()))
    tensors.save(OUT / "own_d.safetensors", {**named(d, "weight", lambda p: p), **grads, **content}, meta)


def mobilenet(original):
    torch.manual_seed(2)
    net = nets.FeatureNet({k: v.double() for k, v in nets.folded(ASSET).items()}, torch.float64)
    x = pictures(2, 64, 96).float().double().requires_grad_(True)
    probe = torch.randn(2, 1280, dtype=torch.float64).float().double()
    taps, pooled = net.taps(x), net.pooled(x)
    slope = torch.autograd.grad((pooled * probe).sum(), x)[0]
    with torch.no_grad():
        square = net.pooled(F.interpolate(x, size=(128, 128), mode="bilinear", align_corners=False))
    content = {f"tap.{i}": last(t) for i, t in enumerate(taps)}
    content.update({"input": last(x), "pooled": pooled, "pooled128": square, "probe": probe, "input_grad": last(slope)})
    if original:
        old = nets.FeatureNet({k: v.double() for k, v in nets.original(original).items()}, torch.float64)
        with torch.no_grad():
            content.update({f"original.tap.{i}": last(t) for i, t in enumerate(old.taps(x))})
            content["original.pooled"] = old.pooled(x)
            away = ((content["original.pooled"] - pooled).norm() / pooled.norm()).item()
            print("mobilenet_v2: float16 against float32 weights, pooled features differ by %.2e" % away)
    tensors.save(OUT / "mobilenet_v2.safetensors", content, {"arithmetic": "float64"})


def projected():
    torch.manual_seed(3)
    weights = {k: v.double() for k, v in nets.folded(ASSET).items()}
    sizes = dict(feature_size=32, mix=8, channels=12, embed=16, pixels=32)
    d = nets.ProjectedDiscriminator(weights, 3, dtype=torch.float64, **sizes).double()
    for group in (d.ccm, d.csm):
        group[:] = [w.float().double() for w in group]
    for p in d.parameters():
        p.data = p.data.float().double()
    d.iterate()
    labels = torch.tensor([0, 2, 3, 1])
    x = pictures(4, 32, 32).float().double().requires_grad_(True)
    features = d.features(x)
    content = {"input": last(x), "labels.class": labels}
    for k, (ccm, csm) in enumerate(zip(d.ccm, d.csm)):
        content[f"frozen/ccm.{k}"], content[f"frozen/csm.{k}"] = tensors.conv_last(ccm), tensors.conv_last(csm)
    content.update({f"feature.{k}": last(feature) for k, feature in enumerate(features)})
    for k, head in enumerate(d.heads):
        for name, layer in head.layers().items():
            co, ci, kh, kw = layer.weight.shape
            layer.u, layer.v = layer.u.float().double(), layer.v.float().double()
            content[f"spectral/head.{k}.{name}.u"] = layer.u[None]
            content[f"spectral/head.{k}.{name}.v"] = layer.v.view(ci, kh, kw).permute(1, 2, 0).reshape(1, -1)
    scores = d(features, labels)
    content.update({f"score.{k}": s[..., None] for k, s in enumerate(scores)})
    grads, (slope,) = gradients(d, sum((s * s).mean() for s in scores), [x])
    content["input_grad"] = last(slope)
    meta = dict(classes=3, **sizes)
    tensors.save(OUT / "projected.safetensors", {**named(d, "weight", lambda p: p), **grads, **content}, meta)


def penalised():
    torch.manual_seed(5)
    weights = {k: v.double() for k, v in nets.folded(ASSET).items()}
    sizes = dict(mix=6, channels=8, embed=8, group=2, pixels=32)
    d = nets.ProjectedDiscriminator(weights, 3, 64, dtype=torch.float64, spectral=False, **sizes).double()
    for p in d.parameters():
        p.data = (p.data * 1.5).float().double()
    labels, gamma = torch.tensor([2, 2, 3, 3]), 20.0
    shapes = [(4, 6, 64 // s, 64 // s) for s in (2, 4, 8, 16)] + [(4, 12, 16, 16)]
    draw = lambda: [torch.randn(shape, dtype=torch.float64).float().double() for shape in shapes]
    real, fake = draw(), draw()
    loss, penalty = d.relativistic(real, fake, labels, gamma)
    grads, _ = gradients(d, loss)
    content = {f"real.{k}": last(f) for k, f in enumerate(real)} | {f"fake.{k}": last(f) for k, f in enumerate(fake)}
    content["labels.class"] = labels
    meta = dict(feature_size=64, mix=6, channels=8, embed=8, classes=3, minibatch_std=2, pixels=32, gamma=gamma)
    meta.update(loss=repr(loss.item()), penalty=repr(penalty.item()))
    tensors.save(OUT / "penalised.safetensors", {**named(d, "weight", lambda p: p), **grads, **content}, meta)


def generator():
    torch.manual_seed(4)
    g = nets.Generator([16, 12, 8], 3, z_dim=16, cond_dim=8, style=16).double()
    for p in g.parameters():  # biases leave their zeros, so that a swapped pair is seen
        p.data = (p.data + 0.1 * torch.randn_like(p) * (p.ndim == 1)).float().double()
    labels, z = torch.tensor([1, 3, 0, 2]), torch.randn(4, 16, dtype=torch.float64).float().double()
    w = g.mapping(z, labels)
    image = g.synthesize(w)
    probe = torch.randn_like(image).float().double()
    grads, _ = gradients(g, (image * probe).sum())
    content = {"z": z, "labels.class": labels, "w": w, "image": last(image), "probe": last(probe)}
    meta = dict(channels="16,12,8", z_dim=16, cond_dim=8, w_dim=16, classes=3, styles=0, height=16, width=16)
    tensors.save(OUT / "generator.safetensors", {**named(g, "weight", lambda p: p), **grads, **content}, meta)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--original", help="the package's mobilenet_v2.safetensors, float32 with batch norm")
    p.add_argument("--only", choices=["own_d", "mobilenet_v2", "projected", "penalised", "generator"])
    p.add_argument("--threads", type=int, default=1)
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    OUT.mkdir(parents=True, exist_ok=True)
    made = {"own_d": own_d, "mobilenet_v2": lambda: mobilenet(o.original), "projected": projected, "penalised": penalised, "generator": generator}
    for name, make in made.items():
        if o.only in (None, name):
            make()
            print(f"{name}.safetensors", (OUT / f"{name}.safetensors").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
