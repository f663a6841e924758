//! What a request asks for: every recipe, and what of a person's words was understood.
use pinxit_create::{Operation, Painter, Prompt, Recipe};
use pinxit_tensor::Rng;

use super::GenerateRequest;
use crate::{Error, Result, Studio, counted, models};

/// The model, opened, and every recipe: labels are checked before anything is painted.
pub fn plan(studio: &Studio, request: &GenerateRequest) -> Result<(Painter, Vec<Recipe>)> {
    let found = models::find(studio, &request.model)?;
    let painter = Painter::open(found.load_for_use(studio)?, &found.name);
    let prompt = request.prompt.as_deref().map(|text| painter.prompt(text)).unwrap_or_default();
    let caption = request.caption.as_ref().or(request.prompt.as_ref());
    let named =
        |asked: &[String], said: &Option<String>| if asked.is_empty() { said.iter().cloned().collect() } else { asked.to_vec() };
    let (classes, styles) = (named(&request.classes, &prompt.class), named(&request.styles, &prompt.style));
    let enlargement = enlargement(request.settings.enlarge)?;
    let mut recipes = Vec::new();
    for &seed in &request.seeds {
        let mut draw = Rng::stream(seed, "labels");
        // Words say what to paint: a class drawn beside them would say something else.
        let classes = asked_or(&classes, || painter.draw_class(&mut draw).filter(|_| prompt.words.is_empty()));
        let styles = asked_or(&styles, || painter.draw_style(&mut draw));
        for class in &classes {
            for style in &styles {
                let mut recipe = painter.recipe(seed, class.as_deref(), style.as_deref(), request.settings.psi)?;
                recipe.caption = caption.cloned();
                recipe.operations.extend(guidance(&painter, &recipe, request.guide)?);
                recipe.operations.extend(enlargement.clone());
                painter.sides(&recipe)?;
                recipes.push(recipe);
            }
        }
    }
    Ok((painter, recipes))
}

/// The operation that goes `by` times as far from the picture that the seed has without labels as the labels do; none for once.
///
/// Guidance (Ho and Salimans 2022, arXiv 2207.12598) in w: a condition is normalised before the network maps it, and going beyond it there
/// would change little. Models know the seed without labels, for training leaves labels out now and then.
fn guidance(painter: &Painter, recipe: &Recipe, by: f64) -> Result<Option<Operation>> {
    let reads = |text: &String| !painter.vocabulary().read(text).known.is_empty();
    if by == 1.0 {
        return Ok(None);
    }
    if recipe.class.is_none() && recipe.style.is_none() && !recipe.caption.as_ref().is_some_and(reads) {
        return Err(Error::Setting {
            message: format!(
                "--guide has nothing to guide seed {} to: no class, style or word that the model knows",
                recipe.seed
            ),
            hint: "ask for some (--class, --style, --prompt), or leave --guide away".into(),
        });
    }
    let (seed, psi) = (recipe.seed, recipe.psi);
    Ok(Some(Operation::Mix { seed, class: None, style: None, caption: None, psi, by: 1.0 - by, stages: None }))
}

/// The operation for so many times larger; none for once.
fn enlargement(times: u32) -> Result<Option<Operation>> {
    match times {
        1 => Ok(None),
        2..=Operation::MOST_TIMES => Ok(Some(Operation::Enlarge { times })),
        _ => Err(Error::Setting {
            message: format!("a picture cannot be enlarged {times} times"),
            hint: format!("2 to {} times, or 1 to leave it as it was painted", Operation::MOST_TIMES),
        }),
    }
}

/// What a person should know of her words: which of them mean nothing to the model.
pub fn remarks(painter: &Painter, request: &GenerateRequest) -> Vec<String> {
    let Some(text) = &request.prompt else { return Vec::new() };
    let (prompt, words) = (painter.prompt(text), painter.vocabulary().terms());
    let known = match words {
        [] => "it learnt no captions (train --condition captions), only names of classes and styles are understood".into(),
        words => format!("it reads {}, such as {}", counted(words.len(), "word"), words[..words.len().min(8)].join(", ")),
    };
    let (mut remarks, mut aside) = (Vec::new(), prompt.set_aside);
    aside.extend(prompt.class.filter(|c| !request.classes.is_empty() && !request.classes.contains(c)));
    aside.extend(prompt.style.filter(|s| !request.styles.is_empty() && !request.styles.contains(s)));
    if !aside.is_empty() {
        remarks.push(format!("not painted: {} (a picture has one class and one style)", aside.join(", ")));
    }
    if !prompt.unknown.is_empty() {
        remarks.push(format!("the model does not know: {} ({known})", prompt.unknown.join(", ")));
    }
    remarks
}

/// What a prompt was understood as, in one line.
pub fn understood(prompt: &Prompt) -> String {
    let part = |what: &str, said: &str| format!("{what} {}", if said.is_empty() { "none" } else { said });
    let (class, style) = (prompt.class.as_deref().unwrap_or_default(), prompt.style.as_deref().unwrap_or_default());
    [part("class", class), part("style", style), part("words", &prompt.words.join(", "))].join("; ")
}

/// The labels asked for; else one drawn, if the model knows any.
fn asked_or<'a>(asked: &[String], draw: impl FnOnce() -> Option<&'a str>) -> Vec<Option<String>> {
    if asked.is_empty() { vec![draw().map(String::from)] } else { asked.iter().cloned().map(Some).collect() }
}
