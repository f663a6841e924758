//! Scratch: trains on an imported dataset and prints what happens.
use pinxit_dataset::Dataset;
use pinxit_nn::FeatureNet;
use pinxit_train::{Length, Observer, Progress, Run, TrainConfig};
use std::path::Path;

struct Print(String);
impl Observer for Print {
    fn progress(&mut self, p: Progress) {
        match p {
            Progress::Preview { kimg, width, height, rgb } => {
                let path = format!("{}/preview-{kimg:.0}.ppm", self.0);
                let mut out = format!("P6 {width} {height} 255\n").into_bytes();
                out.extend(rgb);
                std::fs::write(path, out).unwrap();
            }
            other => println!("{other:?}"),
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "import" {
        let options = pinxit_dataset::ImportOptions { keep_near_duplicates: true, ..Default::default() };
        let mut seen = |_| std::ops::ControlFlow::Continue(());
        println!(
            "{:?}",
            pinxit_dataset::import(&[args[2].clone().into()], &options, Path::new(&args[3]), &mut seen)
                .map(|r| format!("{r:?}").len())
        );
        return;
    }
    let dataset = Dataset::open(Path::new(&args[1])).unwrap();
    println!("{} pictures, {} classes", dataset.len(), dataset.classes().len());
    let net = FeatureNet::shipped().unwrap();
    let config = if args.len() > 4 { TrainConfig::load(Path::new(&args[4])).unwrap() } else { TrainConfig::default() };
    let config = TrainConfig { length: Length::Kimg(args[3].parse().unwrap()), ..config };
    let dir = Path::new(&args[2]);
    let mut run = if dir.join("config.toml").exists() {
        Run::resume(dir, &dataset, &net, None).unwrap()
    } else {
        Run::create(dir, config, &dataset, &net, None).unwrap()
    };
    println!("{:?}", run.train(&mut Print(args[2].clone())).unwrap());
}
