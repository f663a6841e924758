//! What is typed for the tools: stages, seeds with amounts, points, acts.
use pinxit_studio::explore::find::Handle;
use pinxit_studio::explore::{Act, Area};

/// Stages of a model, from 0, the coarsest.
#[derive(Clone, Debug, PartialEq)]
pub struct Stages(pub Vec<usize>);

/// `3`, `0-2`, `0,4-5`.
pub fn stages(text: &str) -> Result<Stages, String> {
    numbers(text, 64).map(Stages).ok_or_else(|| format!("\"{text}\" are no stages: write 3 or 0-2 or 0,4-5; 0 is the coarsest"))
}

/// Channels of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Channels(pub Vec<usize>);

/// `7`, `0-15`, `1,4-5`.
pub fn channels(text: &str) -> Result<Channels, String> {
    numbers(text, 4096).map(Channels).ok_or_else(|| format!("\"{text}\" are no channels: write 7 or 0-15 or 1,4-5"))
}

fn numbers(text: &str, most: usize) -> Option<Vec<usize>> {
    let mut out = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if last < first || last >= most {
            return None;
        }
        out.extend(first..=last);
    }
    out.sort_unstable();
    out.dedup();
    Some(out)
}

/// `NAME=2` or `NAME=-1.5`.
pub fn amount(text: &str) -> Result<(String, f64), String> {
    let wrong = || format!("\"{text}\" is not NAME=AMOUNT, such as light=2 or light=-1.5");
    let (name, by) = text.rsplit_once('=').ok_or_else(wrong)?;
    let by = number(by).ok_or_else(wrong)?;
    Ok((name.into(), by))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|v: &f64| v.is_finite())
}

/// `X,Y` or `X,Y:X,Y`, in pixels or in percent; how large the picture is, is not known here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Points {
    from: [Length; 2],
    to: [Length; 2],
}

/// One coordinate.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Length {
    Px(f64),
    Share(f64),
}

impl Length {
    fn share(self, side: u32) -> f64 {
        match self {
            Length::Px(px) => (px + 0.5) / f64::from(side),
            Length::Share(share) => share,
        }
    }
}

impl Points {
    /// In shares of a picture's sides, px; `None` where one lies outside.
    pub fn handle(self, (width, height): (u32, u32)) -> Option<Handle> {
        let place = |[x, y]: [Length; 2]| [x.share(width), y.share(height)];
        let (from, to) = (place(self.from), place(self.to));
        from.iter().chain(&to).all(|v| (0.0..=1.0).contains(v)).then_some(Handle { from, to })
    }
}

/// `20,30:24,30` px, or `40%,50%:45%,50%`.
pub fn points(text: &str) -> Result<Points, String> {
    let wrong = || format!("\"{text}\" is not X,Y:X,Y, such as 20,30:24,30 in pixels or 40%,50%:45%,50%");
    let length = |text: &str| match text.trim().strip_suffix('%') {
        Some(percent) => number(percent).map(|p| Length::Share(p / 100.0)),
        None => number(text).map(Length::Px),
    };
    let point = |text: &str| text.split_once(',').and_then(|(x, y)| Some([length(x)?, length(y)?]));
    let (from, to) = text.split_once(':').ok_or_else(wrong)?;
    Ok(Points { from: point(from).ok_or_else(wrong)?, to: point(to).ok_or_else(wrong)? })
}

/// `multiply=1.5`, `mirror`, `move=0.1,0`, `noise=0.5`.
pub fn act(text: &str) -> Result<Act, String> {
    let wrong = || {
        format!(
            "\"{text}\" is none of multiply=N, boost=N, mute, invert, add=N, threshold=N, noise=N[,SEED], rotate=DEGREES, move=RIGHT,DOWN, \
             zoom=N, mirror"
        )
    };
    let (word, value) = text.split_once('=').map_or((text, None), |(w, v)| (w, Some(v)));
    let one = || value.and_then(number).ok_or_else(wrong);
    let two = || value.and_then(|v| v.split_once(',')).and_then(|(a, b)| Some((number(a)?, number(b)?))).ok_or_else(wrong);
    match (word, value) {
        ("multiply" | "boost", Some(_)) => one().map(Act::Multiply),
        ("mute", None) => Ok(Act::Multiply(0.0)),
        ("invert", None) => Ok(Act::Multiply(-1.0)),
        ("add", Some(_)) => one().map(Act::Add),
        ("threshold", Some(_)) => one().map(Act::Threshold),
        ("rotate", Some(_)) => one().map(Act::Rotate),
        ("zoom", Some(_)) => one().map(Act::Zoom),
        ("move", Some(_)) => two().map(|(right, down)| Act::Move(right, down)),
        ("mirror", None) => Ok(Act::Mirror),
        ("noise", Some(value)) => {
            let (by, seed) = value.split_once(',').unwrap_or((value, "0"));
            number(by).zip(seed.trim().parse().ok()).map(|(by, seed)| Act::Noise(by, seed)).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// `X,Y,WIDTH,HEIGHT` in percent.
pub fn area(text: &str) -> Result<Area, String> {
    let wrong = || format!("\"{text}\" is not X,Y,WIDTH,HEIGHT in percent of the sides, such as 25,0,50,40");
    let shares: Option<Vec<f64>> = text.split(',').map(|v| number(v.trim().trim_end_matches('%')).map(|v| v / 100.0)).collect();
    match shares.as_deref() {
        Some(&[x, y, width, height]) if width > 0.0 && height > 0.0 => Ok(Area { x, y, width, height, ellipse: false }),
        _ => Err(wrong()),
    }
}

/// `2/6`: the second of six.
pub fn cluster(text: &str) -> Result<(usize, usize), String> {
    let wrong = || format!("\"{text}\" is not N/OF, such as 2/6 for the second of six groups");
    let (n, of) = text.split_once('/').ok_or_else(wrong)?;
    let (n, of): (usize, usize) = (n.trim().parse().map_err(|_| wrong())?, of.trim().parse().map_err(|_| wrong())?);
    if (1..=of).contains(&n) && of <= 256 { Ok((n, of)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_and_channels_read_as_people_write_them() {
        assert_eq!(stages("0,4-5"), Ok(Stages(vec![0, 4, 5])));
        assert_eq!(stages("3"), Ok(Stages(vec![3])));
        for bad in ["", "a", "5-1", "1,,2", "-3", "0-99999999999"] {
            assert!(stages(bad).is_err() && channels(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn points_lie_within_the_picture() {
        let half = points("32,50%:48,16").unwrap().handle((64, 32)).unwrap();
        assert_eq!((half.from[1], half.to[0]), (0.5, 48.5 / 64.0));
        assert!(points("64,0:1,1").unwrap().handle((64, 64)).is_none());
        for bad in ["", "1,2", "1,2:3", "a,1:1,1", "1,2;3,4"] {
            assert!(points(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn acts_read_as_people_write_them() {
        assert_eq!(act("multiply=-2"), Ok(Act::Multiply(-2.0)));
        assert_eq!(act("mute"), Ok(Act::Multiply(0.0)));
        assert_eq!(act("move=0.1,0"), Ok(Act::Move(0.1, 0.0)));
        assert_eq!(act("noise=0.5,7"), Ok(Act::Noise(0.5, 7)));
        for bad in ["", "melt", "rotate", "mute=1", "move=1", "noise=x", "zoom=inf"] {
            assert!(act(bad).is_err(), "{bad}");
        }
        assert_eq!(amount("warm=-1.5"), Ok(("warm".into(), -1.5)));
        assert!(amount("warm").is_err() && cluster("3/2").is_err() && area("1,2,0,4").is_err());
        assert_eq!(cluster("2/6"), Ok((2, 6)));
    }
}
