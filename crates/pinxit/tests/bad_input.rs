//! Bad input: a clear error, the right exit code, nothing lost.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use common::{Desk, code, failure, settings, stderr};

#[test]
fn collections_that_cannot_be_learnt() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path().join("empty")).unwrap();
    std::fs::create_dir(desk.path().join("one")).unwrap();
    std::fs::write(desk.path().join("one/a.bmp"), common::bmp(40, 40, |x, y| [x as u8, y as u8, 9])).unwrap();
    std::fs::create_dir(desk.path().join("tiny")).unwrap();
    std::fs::write(desk.path().join("tiny/a.bmp"), common::bmp(1, 1, |_, _| [1, 2, 3])).unwrap();
    settings().bind(|| {
        insta::assert_snapshot!("import-absent", failure(&desk, &["import", "nowhere"]));
        insta::assert_snapshot!("import-empty", failure(&desk, &["import", "empty"]));
        insta::assert_snapshot!("import-one", failure(&desk, &["import", "one", "--license", "own"]));
        insta::assert_snapshot!("import-tiny", failure(&desk, &["import", "tiny", "--license", "own"]));
        insta::assert_snapshot!("import-bad-name", failure(&desk, &["import", "one", "--into", "../escape"]));
    });
    assert!(!desk.home().join("datasets/empty").exists() && !desk.path().join("escape").exists());
}

#[test]
fn labels_names_and_files_that_are_not_there() {
    let desk = Desk::with_model();
    let before = std::fs::read(desk.model("dots")).unwrap();
    settings().bind(|| {
        insta::assert_snapshot!("generate-class", failure(&desk, &["generate", "dots", "--class", "sqare"]));
        insta::assert_snapshot!("generate-style", failure(&desk, &["generate", "dots", "--style", "oil"]));
        insta::assert_snapshot!("generate-model", failure(&desk, &["generate", "dost"]));
        insta::assert_snapshot!("train-dataset", failure(&desk, &["train", "dotz"]));
        insta::assert_snapshot!("train-taken", failure(&desk, &["train", "dots", "--name", "dots"]));
        insta::assert_snapshot!("train-resume", failure(&desk, &["train", "--resume", "nothing"]));
        insta::assert_snapshot!("train-size", failure(&desk, &["train", "dots", "--size", "64"]));
        insta::assert_snapshot!("train-expert", failure(&desk, &["train", "dots", "--set", "bach=3"]));
        insta::assert_snapshot!("evaluate-dataset", failure(&desk, &["evaluate", "dots", "--dataset", "x"]));
        insta::assert_snapshot!("from-bitmap", failure(&desk, &["generate", "--from", "dots/round/000.bmp"]));
        insta::assert_snapshot!("info-text", failure(&desk, &["info", "home/config.toml"]));
        insta::assert_snapshot!("json-error", failure(&desk, &["--json", "generate", "dots", "--class", "sqare"]));
    });
    let folder = failure(&desk, &["generate", "--from", "dots"]);
    assert!(folder.contains("hint: name a file, not a folder"), "{folder}");
    let file = failure(&desk, &["generate", "dots", "-o", "home/config.toml"]);
    assert!(file.contains("home/config.toml is a file, and a folder is needed there"), "{file}");
    let channels = failure(&desk, &["train", "dots", "--set", "channels=[1]", "--dry-run"]);
    assert!(channels.contains("channels = [1] has too few stages"), "{channels}");
    assert!(!desk.path().join("dots-pictures").exists(), "labels are checked before anything is written");
    assert_eq!(std::fs::read(desk.model("dots")).unwrap(), before);
}

#[test]
fn a_file_for_a_home_a_name_for_a_file_and_half_a_picture() {
    let desk = Desk::with_dots();
    std::fs::write(desk.path().join("thesis.txt"), "years of work").unwrap();
    let home = failure(&desk, &["datasets", "list", "--home", "thesis.txt"]);
    assert!(home.contains("thesis.txt is a file, and a folder is needed there") && !home.contains("os error"), "{home}");
    std::fs::rename(desk.path().join("dots"), desk.path().join("pictures")).unwrap();
    let named = failure(&desk, &["info", "dots"]);
    assert!(named.contains("no file or folder dots") && named.contains("`pinxit datasets show dots`"), "{named}");
    let absent = failure(&desk, &["info", "dost"]);
    assert!(absent.contains("no file or folder dost") && absent.contains("hint: check the path"), "{absent}");
    let whole = std::fs::read(desk.path().join("pictures/round/000.bmp")).unwrap();
    std::fs::write(desk.path().join("half.bmp"), &whole[..whole.len() / 2]).unwrap();
    let half = common::stdout(&desk.run(&["info", "half.bmp", "-q"]));
    assert!(half.contains("BMP, 40x36 px") && half.contains("\nproblem: this BMP file is cut short"), "{half}");
}

/// A stranger's first mistake once took the run's name: `train trees` became `trees-2`, and the next commands found nothing.
#[test]
fn a_refused_run_leaves_no_folder() {
    let desk = Desk::with_dots();
    desk.pictures("two", 2);
    let imported = failure(&desk, &["import", "two", "--size", "32"]);
    assert!(imported.starts_with("exit 0\n") && imported.contains("1 picture to learn from"), "{imported}");
    assert!(imported.contains("next: pinxit datasets show two") && !imported.contains("pinxit train"), "{imported}");
    let refused = failure(&desk, &["train", "two", "--kimg", "0.01"]);
    assert!(refused.contains("needs at least 2 pictures"), "{refused}");
    assert!(!desk.home().join("runs/two").exists());
}

#[test]
fn a_set_too_small_to_measure_is_not_suggested_to() {
    let desk = Desk::with_dots();
    desk.pictures("few", 12);
    let imported = failure(&desk, &["import", "few", "--size", "32"]);
    assert!(imported.contains("next: pinxit train few") && imported.contains("too few to evaluate a model on"), "{imported}");
    let trained = failure(&desk, &["train", "few", "--kimg", "0.04"]);
    assert!(trained.contains("next: pinxit generate few") && !trained.contains("pinxit evaluate"), "{trained}");
    assert!(failure(&desk, &["train", "dots", "--kimg", "0.04"]).contains("or: pinxit evaluate dots"));
}

#[test]
fn a_class_nobody_has_and_a_licence_without_a_name() {
    let desk = Desk::with_dots();
    let import =
        |more: &[&str]| failure(&desk, &[&["import", "dots", "--into", "more", "--size", "32", "--dry-run"], more].concat());
    let skipped = import(&["--skip-class", "sqare", "--skip-style", "oil"]);
    assert!(skipped.contains("warning: no picture has the class \"sqare\"") && skipped.contains("mean \"square\"?"), "{skipped}");
    assert!(skipped.contains("warning: no picture has the style \"oil\""), "{skipped}");
    assert!(import(&["--skip-class", "elephants"]).contains("hint: there are \"round\", \"square\""));
    assert!(import(&["--fit", "center"]).contains("\nfit = \"centre\"  # flag --fit\n"), "the other spelling is understood");
    let unnamed = import(&["--license", " "]);
    assert!(unnamed.starts_with("exit 2\n") && unnamed.contains("a licence has a name"), "{unnamed}");
}

/// 33 px was taken in without a word, and only the training said that no network can learn it.
#[test]
fn sizes_no_network_can_learn_are_refused_at_import() {
    let desk = Desk::with_dots();
    settings().bind(|| {
        insta::assert_snapshot!("import-odd-size", failure(&desk, &["import", "dots", "--into", "odd", "--size", "33"]))
    });
    std::fs::remove_file(desk.home().join("config.toml")).unwrap();
    // 56 px suit none of the networks chosen by size alone, but one of the others.
    assert_eq!(code(&desk.run(&["import", "dots", "--into", "odd", "--size", "56", "--license", "own"])), 0);
    let plan = common::stdout(&desk.run(&["train", "odd", "--dry-run"]));
    assert!(plan.contains("preset = \"xs-32\"  # chosen: ") && plan.contains("pictures of 56 px, "), "{plan}");
    let refused = failure(&desk, &["train", "odd", "--dry-run", "--preset", "xs-64"]);
    assert!(refused.starts_with("exit 1\n") && refused.contains("multiples of 16 px"), "{refused}");
}

#[test]
fn a_size_that_is_not_the_models_contradicts_from() {
    let desk = Desk::with_model();
    let train = ["train", "dots", "--from", "dots", "--dry-run"];
    for asked in [["--preset", "s-64"], ["--set", "channels=[8, 8]"]] {
        let refused = failure(&desk, &[&train[..], &asked].concat());
        assert!(refused.starts_with("exit 1\n") && refused.contains(asked[0]) && refused.contains("of size xs-32"), "{refused}");
    }
    let same = desk.run(&[&train[..], &["--preset", "xs-32"]].concat());
    assert_eq!(code(&same), 0, "the same size is none");
    assert!(common::stdout(&same).contains("# from the model ") && common::stdout(&same).contains("dots.safetensors\n"));
    assert_eq!(code(&desk.run(&["import", "dots", "--into", "other", "--size", "96"])), 0);
    let refused = failure(&desk, &["train", "other", "--from", "dots", "--dry-run"]);
    assert!(refused.contains("paints 32 px, the dataset holds 96 px") && refused.contains("--size 32, or 64 "), "{refused}");
    assert_eq!(code(&desk.run(&["import", "dots", "--into", "large", "--size", "64"])), 0);
    let grown = common::stdout(&desk.run(&["train", "large", "--from", "dots", "--dry-run"]));
    assert!(grown.contains("preset = \"xs-64\"  # chosen: the model it begins from"), "{grown}");
    let file = std::fs::read_to_string(desk.home().join("config.toml")).unwrap();
    std::fs::write(desk.home().join("config.toml"), file.replace("xs-32", "xs-64")).unwrap();
    let plan = common::stdout(&desk.run(&train));
    assert!(plan.contains("preset = \"xs-32\"  # chosen: the model it begins from"), "settings files give way: {plan}");
}

/// An end that lies behind once shortened the run without a word, and the dry run did not look at it.
#[test]
fn a_run_is_not_resumed_to_an_end_behind_it() {
    let desk = Desk::with_model();
    let config = || std::fs::read_to_string(desk.home().join("runs/dots/config.toml")).unwrap();
    let before = config();
    for dry in [&["--dry-run"][..], &[]] {
        let refused = failure(&desk, &[&["train", "--resume", "dots", "--kimg", "0.02"], dry].concat());
        assert!(refused.starts_with("exit 1\n") && refused.contains("stands at 0.04 kimg already"), "{refused}");
        assert_eq!(config(), before);
    }
    let out = desk.run(&["train", "--resume", "dots", "--kimg", "0.08", "--dry-run"]);
    assert!(common::stdout(&out).contains("at 0.04 kimg, to 0.08 kimg"), "{}", common::stdout(&out));
    assert!(common::stdout(&out).contains("kimg = 0.08  # flag --kimg\n"), "{}", common::stdout(&out));
    assert!(common::stdout(&out).contains("batch = 4  # ") && common::stdout(&out).contains("runs/dots/config.toml\n"));
    assert!(!common::stdout(&out).contains("at its end"), "{}", common::stdout(&out));
    assert_eq!(config(), before, "a dry run changes nothing");
    let ended = common::stdout(&desk.run(&["train", "--resume", "dots", "-n"]));
    assert!(ended.contains("\n# the run is at its end already: --kimg or --for give it another\n"), "{ended}");
    assert!(common::stdout(&desk.run(&["train", "--resume", "dots", "-n", "--json"])).contains(r#""at_end":true"#));
}

#[test]
fn settings_files_with_mistakes() {
    let desk = Desk::new();
    std::fs::write(desk.home().join("config.toml"), "[train]\nkimgs = 3\n").unwrap();
    settings().bind(|| insta::assert_snapshot!("settings-unknown-key", failure(&desk, &["runs", "list"])));
    let seen = failure(&desk, &["doctor"]);
    assert!(seen.starts_with("exit 1\n") && seen.contains("unknown field `kimgs`") && seen.contains("feature network"), "{seen}");
    let json = desk.run(&["doctor", "--json"]);
    assert!(common::stdout(&json).contains(r#""what":"settings","verdict":"broken","found":"the settings in "#));
}

/// A run's own folder holds a config.toml, and so do the folders of other programs.
#[test]
fn a_config_toml_in_the_current_folder_is_none_of_ours() {
    let desk = Desk::new();
    std::fs::write(desk.path().join("config.toml"), "[other\n").unwrap();
    let out = desk.command(&["runs", "list"]).env_remove("PINXIT_HOME").output().unwrap();
    assert_eq!(code(&out), 0, "{}", common::stderr(&out));
}

#[test]
fn doctor_looks_at_the_home_that_the_settings_name_though_its_own_are_broken() {
    let desk = Desk::new();
    let person = desk.path().join("nobody/pinxit");
    std::fs::create_dir_all(&person).unwrap();
    std::fs::write(person.join("config.toml"), format!("home = {:?}\n", desk.home())).unwrap();
    std::fs::write(desk.home().join("config.toml"), "[train\n").unwrap();
    let out = desk.command(&["doctor", "--json"]).env_remove("PINXIT_HOME").output().unwrap();
    let home = format!(r#""what":"home","verdict":"fine","found":"{}""#, desk.home().display());
    assert!(common::stdout(&out).contains(&home) && code(&out) == 1, "{}", common::stdout(&out));
}

#[test]
fn a_home_that_is_none_is_a_finding() {
    let desk = Desk::new();
    std::fs::write(desk.path().join("file"), "no folder").unwrap();
    let seen = failure(&desk, &["doctor", "--home", "file"]);
    assert!(seen.starts_with("exit 1\n") && seen.contains("file cannot be used") && seen.contains("arithmetic"), "{seen}");
    assert!(seen.contains("not everything works here: home\n"), "the settings are not at fault: {seen}");
}

#[test]
fn model_files_that_are_damaged_hostile_or_another_shape() {
    let desk = Desk::with_model();
    let good = std::fs::read(desk.model("dots")).unwrap();
    let header = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let swapped = |from: &str, to: &str| {
        let text = String::from_utf8(good[8..8 + header].to_vec()).unwrap();
        assert!(text.contains(from) && from.len() == to.len(), "{text}");
        [&good[..8], text.replace(from, to).as_bytes(), &good[8 + header..]].concat()
    };
    let huge = [&u64::MAX.to_le_bytes()[..], &good[8..]].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("truncated-header", good[..header / 2].to_vec()),
        ("truncated-weights", good[..good.len() - 5].to_vec()),
        ("noise", (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()),
        ("header-of-16-exabytes", huge),
        ("other-shape", swapped("[8,8,8,8]", "[8,8,8,9]")),
        ("later-version", swapped("format_version\\\":1", "format_version\\\":7")),
        ("a-million-classes", swapped("\\\"classes\\\":2", "\\\"classes\\\":9")),
    ];
    settings().bind(|| {
        for (name, bytes) in cases {
            std::fs::write(desk.path().join("bad.safetensors"), bytes).unwrap();
            insta::assert_snapshot!(format!("model-{name}"), failure(&desk, &["generate", "./bad.safetensors", "-o", "out"]));
        }
    });
    assert!(!desk.path().join("out").exists());
    // One damaged model does not hide the others.
    std::fs::write(desk.home().join("models/bad.safetensors"), "x").unwrap();
    let out = desk.run(&["models", "list"]);
    let text = common::stdout(&out);
    assert!(code(&out) == 0 && text.contains("dots") && text.contains("bad"), "{text}");
}

#[test]
fn a_dataset_changed_under_a_run() {
    let desk = Desk::with_dots();
    assert_eq!(code(&desk.run(&["train", "dots", "--kimg", "0.04", "-q"])), 0);
    desk.pictures("dots", 60);
    assert_eq!(code(&desk.run(&["import", "dots", "--into", "dots", "--size", "32", "--replace", "-q"])), 0);
    let out = desk.run(&["train", "--resume", "dots", "--kimg", "0.08"]);
    assert_eq!(code(&out), 1);
    let text = stderr(&out);
    assert!(text.contains("the dataset has changed since this run began") && text.contains("hint:"), "{text}");
}

/// The hint was `did you mean "dots-2"?`, for a name nobody had typed.
#[test]
fn a_dataset_gone_from_under_a_run_and_its_model() {
    let desk = Desk::with_model();
    assert_eq!(code(&desk.run(&["import", "dots", "--into", "dots-2", "--size", "32", "-q"])), 0);
    assert_eq!(code(&desk.run(&["generate", "dots", "--seeds", "0", "-o", "out", "-q"])), 0);
    assert_eq!(code(&desk.run(&["datasets", "remove", "dots"])), 0);
    for (args, who) in [
        (&["train", "--resume", "dots", "--kimg", "1"][..], "run"),
        (&["train", "--resume", "dots", "--dry-run"], "run"),
        (&["evaluate", "dots"], "model"),
    ] {
        let seen = failure(&desk, args);
        assert!(seen.contains(&format!("the {who} \"dots\" needs the dataset \"dots\"")), "{seen}");
        assert!(seen.contains("lies in [DESK]/home/bin/datasets: move it back to [DESK]/home/datasets/dots"), "{seen}");
        assert!(!seen.contains("did you mean") && seen.contains("--dataset") == (who == "model"), "{seen}");
    }
    let bin = desk.home().join("bin/datasets");
    let moved = std::fs::read_dir(&bin).unwrap().next().unwrap().unwrap().path();
    std::fs::rename(moved, desk.home().join("datasets/dots")).unwrap();
    assert_eq!(code(&desk.run(&["train", "--resume", "dots", "--dry-run"])), 0, "what the hint says helps");
    for (kind, name) in [("runs", "dots"), ("models", "dots")] {
        assert_eq!(code(&desk.run(&[kind, "remove", name])), 0);
    }
    let picture = std::fs::read_dir(desk.path().join("out")).unwrap().next().unwrap().unwrap().path();
    let seen = failure(&desk, &["generate", "--from", picture.to_str().unwrap()]);
    assert!(seen.contains("a removed one lies in bin/models/"), "{seen}");
}
