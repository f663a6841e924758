//! What a stranger reads first.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use common::{Desk, code, failure, settings, stdout};

#[test]
fn help_of_every_command() {
    let desk = Desk::new();
    let commands = [
        "",
        "import",
        "train",
        "generate",
        "explore",
        "explore walk",
        "explore loop",
        "explore mix",
        "explore directions",
        "explore move",
        "explore bend",
        "explore project",
        "explore drag",
        "explore breed",
        "evaluate",
        "audit",
        "ledger",
        "policy",
        "sign",
        "verify",
        "watermark",
        "watermark detect",
        "takedown",
        "keys",
        "keys init",
        "datasets",
        "datasets show",
        "models",
        "models blend",
        "runs",
        "info",
        "doctor",
        "demo",
        "completions",
        "man",
    ];
    settings().bind(|| {
        for command in commands {
            let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
            let out = desk.run(&args);
            assert_eq!(code(&out), 0, "{command}");
            let name = format!("help {command}").trim().replace(' ', "-");
            insta::assert_snapshot!(name, stdout(&out));
        }
    });
}

#[test]
fn wrong_usage_is_exit_2() {
    let desk = Desk::new();
    settings().bind(|| {
        insta::assert_snapshot!("usage-unknown-command", failure(&desk, &["trian", "x"]));
        insta::assert_snapshot!("usage-unknown-flag", failure(&desk, &["train", "x", "--kimgs", "3"]));
        insta::assert_snapshot!("usage-bad-span", failure(&desk, &["train", "x", "--for", "30"]));
        insta::assert_snapshot!("usage-bad-seeds", failure(&desk, &["generate", "x", "--seeds", "9-1"]));
        insta::assert_snapshot!("usage-bad-psi", failure(&desk, &["generate", "x", "--psi", "9"]));
        insta::assert_snapshot!("usage-bad-preset", failure(&desk, &["train", "x", "--preset", "xl-64"]));
        insta::assert_snapshot!("usage-bad-batch", failure(&desk, &["train", "x", "--batch", "0"]));
        insta::assert_snapshot!("usage-from-and-model", failure(&desk, &["generate", "x", "--from", "y.png"]));
    });
    for args in [
        vec!["trian"],
        vec!["import"],
        vec!["train"],
        vec!["generate"],
        vec!["-q", "-v", "doctor"],
        vec!["generate", "x", "--psi", "nan"],
        vec!["train", "x", "--discriminator", "both"],
    ] {
        assert_eq!(code(&desk.run(&args)), 2, "{args:?}");
    }
    assert_eq!(code(&desk.run(&["--version"])), 0);
}

#[test]
fn wrong_usage_in_json_is_an_object_as_any_error() {
    let desk = Desk::new();
    let tip =
        r#"{"v":1,"event":"error","message":"unexpected argument '--kimgs' found","hint":"a similar argument exists: '--kimg'"}"#;
    let both = r#"{"v":1,"event":"error","message":"the argument '--for' cannot be used with '--kimg'","hint":null}"#;
    for (args, object) in
        [(&["train", "x", "--kimgs", "3", "--json"][..], tip), (&["--json", "train", "x", "--for", "1h", "--kimg", "3"], both)]
    {
        let out = desk.run(args);
        assert_eq!((code(&out), stdout(&out).trim()), (2, object));
        assert!(common::stderr(&out).contains("Usage: pinxit train "), "{}", common::stderr(&out));
    }
    let by_variable = desk.command(&["trian"]).env("PINXIT_JSON", "1").output().unwrap();
    assert!(stdout(&by_variable).starts_with(r#"{"v":1,"event":"error","message":"unrecognized subcommand 'trian'""#));
    assert_eq!(stdout(&desk.run(&["trian", "--", "--json"])), "", "nobody asked for JSON");
    assert!(stdout(&desk.run(&["man", "pages", "--json"])).starts_with(r#"{"v":1,"pages":"#));
}

#[test]
fn variables_change_neither_usage_lines_nor_mean_anything_when_empty() {
    let desk = Desk::new();
    let out = desk.command(&["train"]).env("PINXIT_TRAIN_SEED", "7").env("PINXIT_THREADS", "1").output().unwrap();
    assert!(common::stderr(&out).contains("Usage: pinxit train [OPTIONS] [DATASET]\n"), "{}", common::stderr(&out));
    let empty = desk.command(&["runs", "list"]).env("PINXIT_JSON", "").env("PINXIT_THREADS", "").output().unwrap();
    assert!(code(&empty) == 0 && stdout(&empty).starts_with("name  dataset"), "{}", common::stderr(&empty));
}

/// clap names the flag, which nobody had typed.
#[test]
fn a_bad_value_names_the_variable_it_came_from() {
    let desk = Desk::new();
    let train = |more: &[&str]| {
        let mut command = desk.command(&[&["train", "x"], more].concat());
        command
            .env("PINXIT_TRAIN_SEED", "7")
            .env("PINXIT_TRAIN_KIMG", "many")
            .env("PINXIT_GENERATE_PSI", "many")
            .output()
            .unwrap()
    };
    let out = train(&[]);
    let seen = common::stderr(&out);
    assert!(code(&out) == 2 && seen.contains("tip: this comes from the environment variable PINXIT_TRAIN_KIMG\n"), "{seen}");
    assert!(stdout(&train(&["--json"])).contains(r#""hint":"this comes from the environment variable PINXIT_TRAIN_KIMG""#));
    let preset = desk.command(&["train", "x", "--json"]).env("PINXIT_TRAIN_PRESET", "s-46").output().unwrap();
    let tips = "a similar value exists: 's-64'; this comes from the environment variable PINXIT_TRAIN_PRESET";
    assert!(stdout(&preset).contains(&format!(r#""hint":"{tips}""#)), "{}", stdout(&preset));
    let typed = common::stderr(&train(&["--kimg", "few"]));
    assert!(typed.contains("invalid value 'few'") && !typed.contains("PINXIT"), "{typed}");
    let out = desk.command(&["train", "--resume", "x"]).env("PINXIT_TRAIN_FROM", "y").output().unwrap();
    let clash = common::stderr(&out);
    assert!(clash.contains("cannot be used with") && clash.contains("variable PINXIT_TRAIN_FROM\n"), "{clash}");
}

#[test]
fn doctor_tells_whether_bf16_is_multiplied_natively() {
    let desk = Desk::new();
    let line = |isa| stdout(&desk.run(&["doctor", "--isa", isa])).lines().find(|l| l.starts_with("bf16")).map(String::from);
    assert!(line("portable").unwrap().contains("not native to these instructions: training multiplies in f32"));
    assert!(line("auto").unwrap().contains("native") && !line("auto").unwrap().contains("--set precision=bf16"));
}

#[test]
fn a_batch_that_cannot_be_grouped_says_what_it_must_be() {
    let desk = Desk::with_dots();
    let refused = failure(&desk, &["train", "dots", "--discriminator", "projected", "--batch", "1"]);
    assert!(refused.starts_with("exit 1\n") && refused.contains("must be a multiple of 4 (group), and is 1"), "{refused}");
}

#[test]
fn completions_and_manual_pages() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let out = desk.run(&["completions", shell]);
        assert!(code(&out) == 0 && stdout(&out).contains("generate"), "{shell}");
        for word in ["projected", "xs-64", "letterbox", "avif", "portable"] {
            assert!(shell == "elvish" || shell == "powershell" || stdout(&out).contains(word), "{shell} completes {word}");
        }
        assert!(!stdout(&out).contains("reference"), "{shell}: not a command for people");
        assert!(!stdout(&out).contains("center"), "{shell}: one word is offered, though two are understood");
    }
    let out = desk.run(&["man", "pages"]);
    assert_eq!(code(&out), 0);
    let page = std::fs::read_to_string(desk.path().join("pages/pinxit-train.1")).unwrap();
    assert!(page.contains("\\-\\-resume") && page.contains("pinxit train"), "{page}");
    assert!(page.contains("PINXIT_TRAIN_RESUME"), "{page}");
    assert!(desk.path().join("pages/pinxit-datasets-show.1").is_file());
}

#[test]
fn a_variable_is_as_good_as_a_flag_and_a_flag_is_stronger() {
    let desk = Desk::with_dots();
    let plan = |flags: &[&str]| {
        let args = [&["train", "dots", "--dry-run"], flags].concat();
        let out = desk.command(&args).env("PINXIT_TRAIN_SEED", "7").env("PINXIT_TRAIN_NO_FLIP", "1").output().unwrap();
        assert_eq!(code(&out), 0, "{}", common::stderr(&out));
        stdout(&out)
    };
    let text = plan(&[]);
    assert!(text.contains("seed = 7  # environment PINXIT_TRAIN_SEED"), "{text}");
    assert!(text.contains("flip = \"off\"  # environment PINXIT_TRAIN_NO_FLIP"), "{text}");
    assert!(text.contains("batch = 4  # ") && text.contains("config.toml"), "{text}");
    assert!(text.contains("lr_g = 0.001  # default"), "{text}");
    assert!(plan(&["--seed", "0"]).contains("seed = 0  # flag --seed"));
    assert!(!desk.home().join("runs").exists(), "a dry run leaves nothing behind");
}

#[test]
fn no_more_threads_than_cores_and_that_is_said_once() {
    let (desk, cores) = (Desk::new(), std::thread::available_parallelism().unwrap().get());
    let note = format!("1024 threads asked for, this machine offers {cores}");
    let out = desk.run(&["doctor", "--threads", "1024"]);
    assert_eq!(common::stderr(&out).matches(&note).count(), 1, "{}", common::stderr(&out));
    assert!(stdout(&out).contains(&format!("{cores} of {cores} cores: {note}")), "{}", stdout(&out));
    for args in
        [["doctor", "--threads", "1024", "-q"], ["doctor", "--threads", "1024", "--json"], ["doctor", "--threads", "1", "-v"]]
    {
        assert!(!common::stderr(&desk.run(&args)).contains("asked for"), "{args:?}");
    }
    assert!(stdout(&desk.run(&["doctor", "--threads", "1"])).contains(&format!("1 of {cores} cores\n")));
}

#[test]
fn doctor_tells_which_way_every_convolution_goes() {
    let desk = Desk::new();
    let told = |args: &[&str]| serde_json::from_str::<serde_json::Value>(&stdout(&desk.run(args))).unwrap()["kernels"].clone();
    let kernels = told(&["doctor", "--json", "--isa", "portable"]);
    let kernels = kernels.as_array().unwrap();
    assert!(kernels.iter().all(|k| k["precision"] == "f32"), "portable instructions have no bf16");
    for preset in ["xs-32", "xs-64", "s-64", "xs-128", "s-128"] {
        for way in ["direct", "winograd"] {
            assert!(kernels.iter().any(|k| k["preset"] == preset && k["forward"] == way), "{preset} {way}");
        }
    }
    let out = stdout(&desk.run(&["doctor", "-v", "--isa", "portable"]));
    assert_eq!(
        out.lines().filter(|l| l.starts_with("xs-64 ")).count(),
        kernels.iter().filter(|k| k["preset"] == "xs-64").count()
    );
    assert!(out.contains("kernels") && out.contains("by Winograd"), "{out}");
}
