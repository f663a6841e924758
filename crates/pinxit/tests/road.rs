//! The road from pictures to pictures, as a stranger walks it.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use std::path::PathBuf;

use common::{Desk, code, failure, settings, stderr, stdout, tidy};

/// `saved model-000000.056 at 0.1 kimg`, `0.06 of 0.05 kimg`, `# 1 pictures`.
#[test]
fn figures_are_written_one_way_and_one_is_no_plural() {
    let desk = Desk::with_dots();
    let out = desk.run(&["train", "dots", "--kimg", "0.054"]);
    let seen = stderr(&out);
    for line in
        ["training from 0 kimg to 0.054 kimg;", "\n0.056 of 0.054 kimg · ", "model-000000.056.safetensors at 0.056 kimg\n"]
    {
        assert!(seen.contains(line), "{line}: {seen}");
    }
    assert!(stdout(&desk.run(&["runs", "list"])).contains(" 0.056  0.054 kimg"));
    assert!(stdout(&desk.run(&["models", "show", "dots"])).contains("0.056 kimg"));
    let plan = |seeds| stdout(&desk.run(&["generate", "dots", "--seeds", seeds, "-o", "out", "--dry-run"]));
    assert!(plan("3").starts_with("# 1 picture into out\n") && plan("3-4").starts_with("# 2 pictures into out\n"));
}

#[test]
fn generate_then_from_gives_the_same_bytes_without_a_signature() {
    let desk = Desk::with_model();
    let out = desk.run(&[
        "generate",
        "dots",
        "--seeds",
        "3-5,18446744073709551615",
        "--psi",
        "0.8",
        "--caption",
        "a \"dot\" & <b>",
        "--grid",
        "--no-sign",
        "-o",
        "first",
    ]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let listed: Vec<PathBuf> = stdout(&out).lines().map(PathBuf::from).collect();
    assert_eq!(listed.len(), 5, "four pictures and a sheet: {listed:?}");
    assert!(stderr(&out).lines().last().unwrap().contains("pinxit generate --from first/"), "{}", stderr(&out));
    for path in &listed[..4] {
        let out = desk.run(&["generate", "--from", &path.to_string_lossy(), "-o", "again", "-q", "--no-sign"]);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let again = desk.path().join(stdout(&out).trim());
        assert_eq!(std::fs::read(desk.path().join(path)).unwrap(), std::fs::read(again).unwrap(), "{}", path.display());
    }
    let sheet = std::fs::read(desk.path().join(&listed[4])).unwrap();
    let sheet = String::from_utf8_lossy(&sheet);
    assert!(
        sheet.contains("<rdf:li xml:lang=\"x-default\">seeds 3-5,18446744073709551615 of dots ("),
        "a sheet says what it shows"
    );
    let single = desk.run(&["generate", "dots", "--seeds", "4", "--class", "round", "--class", "square", "-o", "second", "-q"]);
    assert_eq!(stdout(&single).lines().count(), 2, "a picture for each class");
}

#[test]
fn every_format_carries_a_recipe_that_paints_it_again() {
    let desk = Desk::with_model();
    for (format, ending) in [("png", "png"), ("jpeg", "jpg"), ("webp", "webp"), ("avif", "avif")] {
        let out = desk.run(&[
            "generate",
            "dots",
            "--seeds",
            "7",
            "--class",
            "round",
            "--format",
            format,
            "-o",
            format,
            "-q",
            "--no-sign",
        ]);
        assert_eq!(code(&out), 0, "{format}: {}", stderr(&out));
        let path = stdout(&out).trim().to_string();
        assert!(path.ends_with(&format!("dots-round-000007.{ending}")), "{path}");
        let out = desk.run(&["generate", "--from", &path, "-o", "again", "-q", "--no-sign"]);
        assert_eq!(code(&out), 0, "{format}: {}", stderr(&out));
        let again = desk.path().join(stdout(&out).trim());
        assert_eq!(std::fs::read(desk.path().join(path)).unwrap(), std::fs::read(again).unwrap(), "{format}");
    }
    let out =
        desk.run(&["generate", "dots", "--seeds", "7", "--class", "round", "--format", "jpg", "-o", "jpeg", "-q", "--no-sign"]);
    assert_eq!((code(&out), stdout(&out).trim()), (0, "jpeg/dots-round-000007.jpg"), "{}", stderr(&out));
}

#[test]
fn a_run_is_a_model_by_name_and_by_folder() {
    let desk = Desk::with_model();
    std::fs::remove_file(desk.model("dots")).unwrap();
    let paint = |model: &str| {
        let out = desk.run(&["generate", model, "--seeds", "1", "--class", "round", "-q"]);
        assert_eq!(code(&out), 0, "{model}: {}", stderr(&out));
        assert_eq!(stdout(&out).trim(), "dots-pictures/dots-round-000001.png", "{model}");
    };
    let whole = desk.home().join("runs/dots").display().to_string();
    ["dots", "home/runs/dots", "home/runs/dots/", &whole].into_iter().for_each(paint);
    let inside = |args: &[&str]| desk.command(args).current_dir(desk.home().join("runs/dots")).output().unwrap();
    assert_eq!(code(&inside(&["generate", ".", "--seeds", "1", "-q"])), 0);
    assert!(stdout(&inside(&["info", "."])).starts_with("run        dots\n"), "{}", stdout(&inside(&["info", "."])));
    std::fs::remove_file(desk.home().join("runs/dots/model-000000.040.safetensors")).unwrap();
    for (model, why) in [("home/runs/dots", "has saved no model yet"), ("home/datasets/dots", "is neither a picture")] {
        let refused = common::failure(&desk, &["generate", model]);
        assert!(refused.starts_with("exit 1\n") && refused.contains(why), "{refused}");
    }
}

#[test]
fn a_recipe_finds_its_model_by_hash_or_says_why_not() {
    let desk = Desk::with_model();
    let out = desk.run(&["generate", "dots", "--seeds", "1", "--class", "round", "-o", "out", "-q"]);
    let picture = stdout(&out).trim().to_string();
    std::fs::rename(desk.model("dots"), desk.model("renamed")).unwrap();
    assert_eq!(code(&desk.run(&["generate", "--from", &picture, "-o", "again"])), 0, "the hash counts, not the name");
    std::fs::remove_file(desk.model("renamed")).unwrap();
    assert_eq!(code(&desk.run(&["generate", "--from", &picture, "-o", "again"])), 0, "the run's snapshot will do");
    let trained = desk.run(&["train", "--resume", "dots", "--kimg", "0.08", "-q"]);
    assert_eq!(code(&trained), 0, "{}", stderr(&trained));
    std::fs::remove_file(desk.home().join("runs/dots/model-000000.040.safetensors")).unwrap();
    settings().bind(|| insta::assert_snapshot!("from-other-hash", common::failure(&desk, &["generate", "--from", &picture])));
}

#[test]
fn json_is_one_object_or_lines_of_events_with_a_version() {
    let desk = Desk::with_model();
    let picture = stdout(&desk.run(&["generate", "dots", "--seeds", "1", "--class", "round", "-o", "out", "-q"]));
    settings().bind(|| {
        for (name, args) in [
            ("json-datasets-list", vec!["datasets", "list", "--json"]),
            ("json-models-show", vec!["models", "show", "dots", "--json"]),
            ("json-info-picture", vec!["info", picture.trim(), "--json"]),
            ("json-generate", vec!["generate", "dots", "--seeds", "0-1", "--class", "square", "-o", "out", "--json"]),
        ] {
            let out = desk.run(&args);
            assert_eq!(code(&out), 0, "{}", stderr(&out));
            assert!(stdout(&out).lines().all(|l| l.starts_with(r#"{"v":1,"#)), "{}", stdout(&out));
            assert_eq!(stderr(&out), "", "data on stdout, and nothing else to say");
            insta::assert_snapshot!(name, tidy(&desk, &stdout(&out)));
        }
    });
    let out = desk.run(&["train", "dots", "--name", "second", "--kimg", "0.08", "--json"]);
    let events = stdout(&out);
    for event in ["started", "note", "tick", "picture", "snapshot", "finished"] {
        assert!(events.contains(&format!(r#"{{"v":1,"event":"{event}","#)), "{event}\n{events}");
    }
    for args in
        [["runs", "show", "dots", "--json"], ["runs", "list", "--json", "-v"], ["doctor", "--json", "-v", "--no-progress"]]
    {
        let out = desk.run(&args);
        assert!(code(&out) == 0 && stdout(&out).starts_with(r#"{"v":1,"#) && stdout(&out).lines().count() == 1);
    }
}

#[test]
fn a_dry_run_in_json_is_one_object_with_the_source_of_every_value() {
    let desk = Desk::with_model();
    assert_eq!(code(&desk.run(&["generate", "dots", "--seeds", "1", "--class", "round", "-o", "out"])), 0);
    let plan = |args: &[&str]| -> serde_json::Value {
        let out = desk.run(&[args, &["--json", "-n"]].concat());
        assert_eq!((code(&out), stderr(&out)), (0, String::new()), "{args:?}");
        let plan: serde_json::Value = serde_json::from_str(&stdout(&out)).unwrap();
        assert!(plan["v"] == 1 && plan["dry_run"] == args[0], "{plan}");
        plan
    };
    let train = plan(&["train", "dots", "--kimg", "9"]);
    assert_eq!(train["settings"]["length.kimg"], serde_json::json!({ "value": 9.0, "source": "flag --kimg" }));
    assert_eq!(train["settings"]["augment.flip"]["source"], "default");
    let resume = plan(&["train", "--resume", "dots", "--kimg", "9"]);
    assert_eq!(resume["settings"]["length.kimg"], train["settings"]["length.kimg"]);
    assert_eq!(resume["settings"].as_object().map(|s| s.len()), train["settings"].as_object().map(|s| s.len()));
    assert_eq!((&resume["dataset"], &resume["at_kimg"], &resume["from"]), (&"dots".into(), &0.04.into(), &().into()));
    let paint = plan(&["generate", "dots", "--seeds", "1-2", "--class", "round", "--psi", "0.5"]);
    assert_eq!(paint["settings"]["psi"], serde_json::json!({ "value": 0.5, "source": "flag --psi" }));
    assert_eq!(paint["pictures"].as_array().map(Vec::len), Some(2));
    let again = plan(&["generate", "--from", "out/dots-round-000001.png"]);
    assert_eq!(again["pictures"][0], "dots-round-000001-again.png");
    assert!(again["settings"]["psi"].is_null() && again["settings"]["format"].is_null(), "those of the picture count: {again}");
    assert!(!desk.path().join("dots-round-000001-again.png").exists(), "a dry run paints nothing");
    std::fs::write(desk.path().join("dots/round/broken.png"), "no picture").unwrap();
    let import = plan(&["import", "dots", "--into", "more", "--size", "32"]);
    assert_eq!(import["report"]["counts"]["rejected"], 1);
    assert_eq!(import["report"]["files"][0]["file"], "round/broken.png");
    let seen = desk.run(&["import", "dots", "--into", "more", "--size", "32", "-n"]);
    assert!(stderr(&seen).contains("rejected: round/broken.png") && stdout(&seen).contains("rejected"), "{}", stdout(&seen));
    assert!(!desk.home().join("datasets/more").exists() && !desk.home().join("datasets/more.partial").exists());
    assert_eq!(import["settings"]["size"], serde_json::json!({ "value": "32", "source": "flag --size" }));
}

#[test]
fn what_comes_next_can_be_typed_as_it_stands() {
    let desk = Desk::with_model();
    std::fs::create_dir(desk.path().join("my models")).unwrap();
    std::fs::copy(desk.model("dots"), desk.path().join("my models/red dots.safetensors")).unwrap();
    std::fs::rename(desk.home(), desk.path().join("my home")).unwrap();
    let args = ["generate", "my models/red dots.safetensors", "--seeds", "1", "--class", "round", "-o", "my out"];
    let out = desk.run(&[&args[..], &["--home", "my home"]].concat());
    let next = stderr(&out).lines().last().unwrap().trim_start_matches("  or: ").to_string();
    assert_eq!(next, "pinxit generate --from 'my out/red-dots-round-000001.png' --home 'my home'");
    let script = next.replacen("pinxit", "\"$0\"", 1);
    let program = desk.command(&[]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).arg(program.get_program()).current_dir(desk.path());
    assert!(shell.status().unwrap().success(), "{script}");

    // A program may run the command where no variable names the home.
    let json = desk.command(&[&args[..], &["--json"]].concat()).env("PINXIT_HOME", "my home").output().unwrap();
    assert!(stdout(&json).contains("red-dots-round-000001.png' --home 'my home'\""), "{}", stdout(&json));
}

#[test]
fn a_run_folder_has_what_it_says() {
    let desk = Desk::with_model();
    let run = desk.home().join("runs/dots");
    for file in ["config.toml", "run.toml", "stats.jsonl", "previews/000000.000.png", "model-000000.040.safetensors", "state"] {
        assert!(run.join(file).exists(), "{file}");
    }
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("kimg = 0.04  # flag --kimg") && config.contains("batch = 4  # "), "{config}");
    assert_eq!(
        std::fs::read(run.join("model-000000.040.safetensors")).unwrap(),
        std::fs::read(desk.model("dots")).unwrap(),
        "the final model is kept"
    );
    let shown = stdout(&desk.run(&["runs", "show", "dots"]));
    assert!(shown.contains("finished"), "{shown}");
    // As before its first tick, stopped or just begun.
    std::fs::write(run.join("stats.jsonl"), "").unwrap();
    let listed = || stdout(&desk.run(&["runs", "list"]));
    assert!(listed().contains("  0.04  "), "{}", listed());
    let shown = stdout(&desk.run(&["runs", "show", "dots"]));
    assert!(shown.contains("stands at  0.04 kimg after "), "{shown}");
    std::fs::remove_dir_all(run.join("state")).unwrap();
    assert!(listed().contains("     0  0.04 kimg"), "{}", listed());
}

#[test]
fn removing_is_moving_into_the_bin() {
    let desk = Desk::with_model();
    for noun in ["models", "runs", "datasets"] {
        let out = desk.run(&[noun, "remove", "dots"]);
        let to = stdout(&out).trim().trim_start_matches("moved to ").to_string();
        assert!(code(&out) == 0 && std::path::Path::new(&to).exists(), "{noun}: {to}");
        let bin = desk.home().join("bin");
        assert!(stderr(&out).contains(&format!("free again when {} is deleted", bin.display())), "{noun}: {}", stderr(&out));
        assert!(!stdout(&desk.run(&[noun, "list"])).contains("dots"), "{noun}");
    }
}

#[test]
fn fine_tuning_and_leaving_labels_out() {
    let desk = Desk::with_model();
    let out = desk.run(&["train", "dots", "--from", "dots", "--condition", "none", "--name", "plain", "--kimg", "0.04", "-q"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let card = stdout(&desk.run(&["models", "show", "plain", "--json"]));
    let card: serde_json::Value = serde_json::from_str(&card).unwrap();
    let parent: serde_json::Value = serde_json::from_str(&stdout(&desk.run(&["models", "show", "dots", "--json"]))).unwrap();
    assert_eq!((&card["classes"], &card["parent"]), (&serde_json::json!([]), &parent["hash"]));
    let resumed = desk.run(&["train", "--resume", "plain", "--kimg", "0.08", "-q"]);
    assert_eq!(code(&resumed), 0, "labels stay out after a resume: {}", stderr(&resumed));
}

#[test]
fn evaluation_is_a_table_and_a_file() {
    let desk = Desk::with_dots();
    desk.pictures("many", 60);
    assert_eq!(code(&desk.run(&["import", "many", "--into", "many", "--size", "32", "--keep-near-duplicates", "-q"])), 0);
    assert_eq!(code(&desk.run(&["train", "many", "--kimg", "0.04", "-q"])), 0);
    let out = desk.run(&["evaluate", "many", "--samples", "20", "--repeats", "1"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    for figure in ["KID", "coverage", "self-NN", "memorised", "label accuracy", "real"] {
        assert!(stdout(&out).contains(figure), "{}", stdout(&out));
    }
    let saved = std::fs::read_to_string(desk.home().join("models/many.evaluation.json")).unwrap();
    let saved: serde_json::Value = serde_json::from_str(&saved).unwrap();
    assert!(saved["v"] == 1 && saved["real"]["kid"].is_number() && saved["fake"].as_array().unwrap().len() == 1, "{saved}");
}

/// What leaves by `export` comes back by `evaluate --pictures` and by `import`: real pictures measured as if painted.
#[test]
fn pictures_of_another_program_are_measured() {
    let desk = Desk::new();
    desk.pictures("many", 60);
    assert_eq!(code(&desk.run(&["import", "many", "--size", "32", "--license", "own", "--keep-near-duplicates", "-q"])), 0);
    let out = desk.run(&["datasets", "export", "many", "-o", "files"]);
    assert_eq!((code(&out), stdout(&out).trim()), (0, "files/labels.csv"), "{}", stderr(&out));
    let pictures = |folder: &str| std::fs::read_dir(desk.path().join(folder)).unwrap().count() - 1;
    assert_eq!(pictures("files"), 60);
    assert_eq!(code(&desk.run(&["datasets", "export", "many", "-o", "files", "-q"])), 0, "the same again is no loss");
    let flat = desk.run(&["evaluate", "--pictures", "files", "--dataset", "many", "--json", "-q"]);
    assert_eq!(code(&flat), 0, "{}", stderr(&flat));
    let saved = || -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(desk.path().join("files/evaluation.json")).unwrap()).unwrap()
    };
    assert!(saved()["mean"]["self_nn"].as_f64().unwrap() > 0.8, "no class is no collapse: {}", saved());
    assert!(saved()["mean"]["label_accuracy"].is_null(), "{}", saved());
    assert!(saved()["mean"]["self_nn_lowest"].is_null(), "{}", saved());
    std::fs::write(desk.path().join("files/evaluation.json"), b"mine").unwrap();
    let refused = desk.run(&["evaluate", "--pictures", "files", "--dataset", "many"]);
    assert!(code(&refused) == 1 && stderr(&refused).contains("files/evaluation.json"), "{}", stderr(&refused));
    std::fs::remove_file(desk.path().join("files/evaluation.json")).unwrap();
    (3..60).for_each(|i| std::fs::write(desk.path().join(format!("files/{i:06}.png")), b"mine").unwrap());
    let broken = desk.run(&["evaluate", "--pictures", "files", "--dataset", "many"]);
    assert!(code(&broken) == 1 && stderr(&broken).contains("files/0000"), "{}", stderr(&broken));
    let refused = desk.run(&["datasets", "export", "many", "-o", "files"]);
    assert!(code(&refused) == 1 && stderr(&refused).contains("000003.png"), "{}", stderr(&refused));
    assert_eq!(code(&desk.run(&["datasets", "export", "many", "-o", "files", "--overwrite", "-q"])), 0);
    std::fs::create_dir(desk.path().join("other")).unwrap();
    std::fs::write(desk.path().join("other/labels.csv"), b"mine").unwrap();
    std::fs::write(desk.path().join("other/000077.png"), b"mine").unwrap();
    assert_eq!(code(&desk.run(&["datasets", "export", "many", "-o", "other"])), 1);
    assert_eq!(
        std::fs::read_dir(desk.path().join("other")).unwrap().count(),
        2,
        "nothing is written where the label file is in the way"
    );
    let over = desk.run(&["datasets", "export", "many", "-o", "other", "--overwrite"]);
    assert!(code(&over) == 0 && stderr(&over).contains("1 picture"), "{}", stderr(&over));
    let again = ["import", "files", "--into", "again", "--size", "32", "--keep-near-duplicates", "-q"];
    assert_eq!(code(&desk.run(&again)), 0);
    let show = |name: &str| -> serde_json::Value {
        serde_json::from_str(&stdout(&desk.run(&["datasets", "show", name, "--json"]))).unwrap()
    };
    let (before, after) = (show("many"), show("again"));
    for key in ["count", "held_out", "classes", "class_counts", "licences"] {
        assert_eq!(before[key], after[key], "{key} survives the way out and in");
    }
    assert_eq!(code(&desk.run(&["datasets", "export", "again", "-o", "files-again", "-q"])), 0);
    let groups = |folder: &str| -> Vec<String> {
        let table = std::fs::read_to_string(desk.path().join(folder).join("labels.csv")).unwrap();
        table.lines().map(|line| line.rsplit(',').nth(1).unwrap().to_string()).collect()
    };
    assert_eq!(groups("files"), groups("files-again"));
    for class in ["round", "square"] {
        std::fs::create_dir(desk.path().join("files").join(class)).unwrap();
    }
    let table = std::fs::read_to_string(desk.path().join("files/labels.csv")).unwrap();
    for line in table.lines().skip(1) {
        let mut cells = line.split(',');
        let (file, class) = (cells.next().unwrap(), cells.next().unwrap());
        std::fs::rename(desk.path().join("files").join(file), desk.path().join("files").join(class).join(file)).unwrap();
    }
    std::fs::create_dir(desk.path().join("files/oval")).unwrap();
    let out = desk.run(&["evaluate", "--pictures", "files", "--dataset", "many", "--learnt"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stderr(&out).contains("left out, for they are called like no class of many: oval"), "{}", stderr(&out));
    let empty = desk.run(&["evaluate", "--pictures", "files/oval", "--dataset", "many"]);
    assert!(code(&empty) == 1 && stderr(&empty).contains("files/oval holds 0 pictures"), "{}", stderr(&empty));
    assert!(stdout(&out).contains("MobileNetV2") && stdout(&out).contains("learnt from the collection (2 classes)"));
    let saved = saved();
    for report in [&saved, &saved["learnt"]] {
        assert!(report["mean"]["coverage"].as_f64().unwrap() > 0.9, "they are the real ones: {report}");
        assert!(report["mean"]["memorised"].as_f64().unwrap() > 0.8, "{report}");
        assert!(report["mean"]["self_nn_lowest"].as_f64() <= report["mean"]["self_nn"].as_f64(), "{report}");
        assert!(report["mean"]["self_nn_lowest"].as_f64().unwrap() > 0.5, "{report}");
    }
    assert!(saved["learnt"]["mean"]["label_accuracy"].as_f64().unwrap() > 0.8, "{saved}");
    assert!(saved.get("model").is_none() && saved["name"] == "files");
    let small =
        desk.run(&["import", "many", "--into", "small", "--size", "16", "--license", "own", "--keep-near-duplicates", "-q"]);
    assert_eq!(code(&small), 0);
    let refused = desk.run(&["evaluate", "--pictures", "files", "--dataset", "small"]);
    assert!(code(&refused) == 1 && stderr(&refused).contains("is 32 x 32 px"), "{}", stderr(&refused));
}

#[test]
fn captions_become_words_that_a_prompt_may_use() {
    let desk = Desk::with_dots();
    let rows =
        |name: &str, i: usize| format!("{name},{},a {} dot\n", name.split('/').next().unwrap(), ["red", "blue", "small"][i % 3]);
    let mut names: Vec<String> = Vec::new();
    for class in ["round", "square"] {
        let files = std::fs::read_dir(desk.path().join("dots").join(class)).unwrap();
        names.extend(files.map(|f| format!("{class}/{}", f.unwrap().file_name().to_string_lossy())));
    }
    names.sort();
    let table: String = names.iter().enumerate().map(|(i, name)| rows(name, i)).collect();
    std::fs::write(desk.path().join("words.csv"), format!("file,class,caption\n{table}")).unwrap();
    let refused = desk.run(&["train", "dots", "--condition", "captions"]);
    assert!(code(&refused) == 1 && stderr(&refused).contains("has no captions"), "{}", stderr(&refused));
    let import = ["import", "dots", "--into", "said", "--size", "32", "--labels", "words.csv", "--keep-near-duplicates", "-q"];
    assert_eq!(code(&desk.run(&import)), 0);
    assert!(stdout(&desk.run(&["datasets", "show", "said"])).contains("48 of 48 pictures have one"));
    let out = desk.run(&["train", "said", "--condition", "captions", "--kimg", "0.05", "-q"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let out = desk.run(&["train", "--resume", "said", "--kimg", "0.09", "-q"]);
    assert_eq!(code(&out), 0, "the words are the same after a resume: {}", stderr(&out));
    let card: serde_json::Value = serde_json::from_str(&stdout(&desk.run(&["models", "show", "said", "--json"]))).unwrap();
    assert!(card["words"].as_array().unwrap().contains(&serde_json::json!("red")), "{card}");
    let prompt = ["generate", "said", "--seeds", "1", "--prompt", "a small square dragon", "-o", "painted", "--no-sign"];
    let out = desk.run(&prompt);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stderr(&out).contains("does not know: dragon") && stderr(&out).contains("it reads"), "{}", stderr(&out));
    assert_eq!(stdout(&out).trim(), "painted/said-square-000001.png");
    let dry = stdout(&desk.run(&[&prompt[..], &["--dry-run"]].concat()));
    assert!(dry.contains("# the prompt names class square; style none; words small"), "{dry}");
    let aside = desk.run(&["generate", "said", "--seeds", "1", "--prompt", "square", "--class", "round", "-o", "aside"]);
    assert!(stderr(&aside).contains("not painted: square"), "{}", stderr(&aside));
    let plain = desk.run(&["train", "said", "--from", "said", "--name", "plain", "--kimg", "0.04"]);
    assert!(code(&plain) == 0 && stderr(&plain).contains("reads") && stderr(&plain).contains("--condition captions keeps them"));
    let again = desk.run(&["generate", "--from", "painted/said-square-000001.png", "-o", "again", "-q", "--no-sign"]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    let bytes = |path: &str| std::fs::read(desk.path().join(path)).unwrap();
    assert!(bytes("painted/said-square-000001.png") == bytes(stdout(&again).trim()), "a caption is part of the recipe");
}

#[test]
fn the_demo_walks_the_whole_road_with_pictures_and_model_of_ones_own() {
    let desk = Desk::with_model();
    let assets = desk.path().join("assets");
    std::fs::create_dir_all(assets.join("models")).unwrap();
    std::fs::copy(desk.model("dots"), assets.join("models/base.safetensors")).unwrap();
    std::fs::rename(desk.path().join("dots"), assets.join("samples")).unwrap();
    let demo = || desk.run(&["demo", "--assets", "assets", "--for", "1s", "-o", "demo"]);
    let out = demo();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    for part in ["coverage", "demo/pictures/sheet.png", "demo/pictures-before/sheet.png"] {
        assert!(stdout(&out).contains(part), "{}", stdout(&out));
    }
    assert!(stderr(&out).contains("next: pinxit import YOUR-PICTURES/"), "{}", stderr(&out));
    let files = |folder: &str| std::fs::read_dir(desk.path().join("demo").join(folder)).unwrap().count();
    assert_eq!(files("pictures"), 65, "64 pictures and a sheet");
    assert!(files("runs/demo/previews") >= 1);
    let one = std::fs::read_dir(desk.path().join("demo/pictures")).unwrap().flatten().map(|e| e.path());
    let one = one.filter(|p| !p.ends_with("sheet.png")).min().unwrap();
    assert!(stdout(&desk.run(&["info", &one.to_string_lossy()])).contains("\"seed\": "), "a recipe in every picture");
    assert_eq!(code(&demo()), 0, "and again in the same folder");
    let kept = std::fs::read_dir(desk.path().join("demo/bin")).unwrap().flatten();
    assert!(kept.filter(|e| e.file_name().to_string_lossy().starts_with("pictures")).count() == 2, "the first pictures are kept");
    assert_eq!(code(&desk.run(&["demo", "--assets", "nowhere", "-o", "other"])), 1);
}

#[test]
fn what_was_typed_wins_over_the_environment() {
    let desk = Desk::with_dots();
    let out = desk.command(&["train", "dots", "--for", "1h", "--dry-run"]).env("PINXIT_TRAIN_KIMG", "5").output().unwrap();
    assert!(code(&out) == 0 && stdout(&out).contains("seconds = 3600"), "{}", stderr(&out));
    let both = failure(&desk, &["train", "dots", "--for", "1h", "--kimg", "5"]);
    assert!(both.starts_with("exit 2\n") && both.contains("'--for' cannot be used with '--kimg'"), "{both}");
    assert!(failure(&desk, &["generate", "--from", "a.png", "--seeds", "1"]).starts_with("exit 2\n"));
}

#[test]
fn quiet_leaves_answers_and_errors() {
    let desk = Desk::new();
    desk.pictures("dots", 20);
    std::fs::write(desk.path().join("dots/labels.csv"), "file,colour\nround/000.bmp,red\n").unwrap();
    let import = |more: &[&str]| desk.run(&[&["import", "dots", "--size", "32", "--replace", "--license", "own"], more].concat());
    assert!(stderr(&import(&[])).contains("warning:"));
    let out = import(&["-q"]);
    assert!(stderr(&out).is_empty() && stdout(&out).contains("accepted"), "{}", stderr(&out));
    assert!(stderr(&desk.run(&["generate", "nothing", "-q"])).contains("error:"));
}

#[test]
fn a_picture_is_not_taken_for_a_model() {
    let desk = Desk::with_dots();
    let refused = failure(&desk, &["generate", "dots/round/000.bmp"]);
    assert!(refused.starts_with("exit 1\n") && refused.contains("is a picture (BMP), not a model"), "{refused}");
}

#[test]
fn a_finished_run_says_so_when_it_is_resumed() {
    let desk = Desk::with_model();
    let out = desk.run(&["train", "--resume", "dots"]);
    assert!(code(&out) == 0 && stderr(&out).contains("at its end already"), "{}", stderr(&out));
    let longer = desk.run(&["train", "--resume", "home/runs/dots/", "--kimg", "0.08"]);
    assert!(code(&longer) == 0 && !stderr(&longer).contains("at its end already"), "{}", stderr(&longer));
    assert!(stdout(&longer).trim().ends_with("home/models/dots.safetensors"), "a folder is as good as a name");
    let none = failure(&desk, &["train", "--resume", "home/models/", "-n"]);
    assert!(none.starts_with("exit 1\n") && none.contains("nor a run"), "{none}");
}

/// The audit says what it found in words and figures, and shows it.
#[test]
fn an_audit_has_a_verdict_and_a_sheet() {
    let desk = Desk::with_dots();
    desk.pictures("many", 60);
    assert_eq!(code(&desk.run(&["import", "many", "--into", "many", "--size", "32", "--keep-near-duplicates", "-q"])), 0);
    assert_eq!(code(&desk.run(&["train", "many", "--kimg", "0.04", "-q"])), 0);
    let out = desk.run(&["audit", "many", "--samples", "24"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let said = stdout(&out);
    assert!(
        said.starts_with("many: no sign of copying") && said.contains("24 pictures") && said.contains("near copies (lower)"),
        "{said}"
    );
    let sheet = std::fs::read(desk.home().join("models/many.audit.png")).unwrap();
    let side = |at: usize| u32::from_be_bytes(sheet[at..at + 4].try_into().unwrap());
    assert_eq!((side(16), side(20)), (4 * (4 * 32 + 3 * 2 + 14) - 14, 6 * 34 - 2), "24 samples, four a row");
    let again = desk.run(&["audit", "many", "--samples", "24", "--json", "-q"]);
    let last: serde_json::Value = serde_json::from_str(stdout(&again).lines().last().unwrap()).unwrap();
    assert_eq!((&last["result"]["verdict"], &last["result"]["samples"]), (&"original".into(), &24.into()), "{last}");
    // The works themselves, as anybody's pictures.
    assert_eq!(code(&desk.run(&["datasets", "export", "many", "-o", "files", "-q"])), 0);
    let copies = desk.run(&["audit", "--pictures", "files", "--dataset", "many"]);
    assert!(stdout(&copies).starts_with("files: it copies: "), "{}", stdout(&copies));
    let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(desk.path().join("files/audit.json")).unwrap()).unwrap();
    let first = &saved["closest"][0];
    assert_eq!((&first["unlikeness"], &first["near_copy"]), (&0.0.into(), &true.into()), "{first}");
    // A picture of the person's that the sheet would replace.
    std::fs::remove_file(desk.path().join("files/audit.json")).unwrap();
    let kept = failure(&desk, &["audit", "--pictures", "files", "--dataset", "many"]);
    assert!(kept.starts_with("exit 1\n") && kept.contains("audit.png"), "{kept}");
    desk.pictures("few", 4);
    assert_eq!(code(&desk.run(&["import", "few", "--into", "few", "--size", "32", "--keep-near-duplicates", "-q"])), 0);
    let refused = failure(&desk, &["audit", "many", "--dataset", "few"]);
    assert!(refused.starts_with("exit 1\n") && refused.contains("held out, and copies are told"), "{refused}");
}
