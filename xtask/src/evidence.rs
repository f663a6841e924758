//! Long proofs that anyone can rerun; their recorded output lives in `docs/`.
use crate::shell;
use anyhow::{Result, bail};

struct Evidence {
    name: &'static str,
    what: &'static str,
    script: &'static str,
}

const ALL: &[Evidence] = &[
    Evidence {
        name: "sets",
        what: "fetch the freely licensed picture sets into .xtask/sets (network, 2 minutes)",
        script: "evidence/sets.sh",
    },
    Evidence {
        name: "fluent3d",
        what: "train fluent3d at 64 px by class and evaluate (hours); docs/results.md",
        script: "evidence/fluent3d.sh",
    },
    Evidence {
        name: "landscapes",
        what: "train the landscapes at 64 px and evaluate (hours); docs/results.md",
        script: "evidence/landscapes.sh",
    },
    Evidence {
        name: "precision",
        what: "train fluent3d with six seeds in every precision and evaluate (three hours); docs/results.md",
        script: "evidence/precision.sh",
    },
    Evidence {
        name: "race",
        what: "pinxit against StyleGAN2-ADA, FastGAN and R3GAN, equal seconds (hours; see the script); docs/results.md",
        script: "evidence/race.sh",
    },
    Evidence {
        name: "obey",
        what: "does a model paint the class, style and caption asked for? a judge in PyTorch (minutes); docs/results.md",
        script: "evidence/obey.sh",
    },
    Evidence {
        name: "explore",
        what: "directions beside numpy, projection beside PyTorch, loops, fifty drags, every verb (an hour): [PART…]; docs/explore.md",
        script: "evidence/explore.sh",
    },
    Evidence {
        name: "originality",
        what: "planted copies and a model that copies: caught? (minutes, the model half an hour); docs/originality.md",
        script: "evidence/originality.sh",
    },
    Evidence {
        name: "watermark",
        what: "the watermark under attacks by Pillow and ffmpeg, beside RivaGAN; unmarked pictures (hours); docs/watermark.md",
        script: "evidence/watermark.sh",
    },
    Evidence {
        name: "hour",
        what: "an hour of training: memory and speed, flat or not; docs/results.md",
        script: "evidence/hour.sh",
    },
    Evidence {
        name: "import100k",
        what: "import 100,000 pictures: memory, time, a kill and a resume (minutes); docs/results.md",
        script: "evidence/import100k.sh",
    },
    Evidence {
        name: "sanitize",
        what: "the tests of the kernels under AddressSanitizer, every instruction set (minutes); docs/results.md",
        script: "evidence/sanitize.sh",
    },
    Evidence {
        name: "fuzz-shapes",
        what: "kernels on random shapes under AddressSanitizer: [--minutes N] [--seed N]; docs/results.md",
        script: "evidence/fuzz-shapes.sh",
    },
    Evidence {
        name: "fuzz",
        what: "hostile files into verify, import, the watermark and the rest (an hour): [--minutes N] [--keep] [TARGET…]; docs/hostile.md",
        script: "evidence/fuzz.sh",
    },
    Evidence {
        name: "neon",
        what: "the tests of the kernels for aarch64, on an emulator (minutes); docs/results.md",
        script: "evidence/neon.sh",
    },
];

/// Lists the proofs, or runs one; what follows its name is for its script.
pub fn run(words: &[&str]) -> Result<()> {
    match words {
        [] => ALL.iter().for_each(|e| println!("{:<12} {}", e.name, e.what)),
        [name, rest @ ..] => match ALL.iter().find(|e| e.name == *name) {
            Some(e) => shell::step(e.name, "bash", &[&[format!("xtask/{}", e.script).as_str()], rest].concat())?,
            None => bail!("no evidence {name:?}; `cargo xtask evidence` lists them"),
        },
    }
    Ok(())
}
