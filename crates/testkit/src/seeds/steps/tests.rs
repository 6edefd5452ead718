use super::{Step, of_page, of_script};
use crate::seeds::Source;
use crate::seeds::substitutions::Document;

fn commands(text: &str) -> Vec<(String, String)> {
    let steps = of_page(text, Document::default()).unwrap();
    steps.into_iter().map(|Step { command, shown }| (command, shown)).collect()
}

fn typed(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(command, shown)| ((*command).to_owned(), (*shown).to_owned())).collect()
}

#[test]
fn blocks_of_a_list_lose_its_margin_and_show_the_output_behind_them() {
    let page = "```\na drawing\n```\n1. Do this:\n   ```yaml\n   kubectl apply -f- <<EOF\n   a:\n     b\n   EOF\n   ```\n   \
                Example output:\n   ```\n   done\n   ```\n```sh\n# nothing to type\n```\n";
    let expected = typed(&[("kubectl apply -f- <<EOF\na:\n  b\nEOF\n", "done\n")]);
    assert_eq!(commands(page), expected);
}

#[test]
fn without_fences_the_lines_of_known_programs_are_typed() {
    let page = "kubectlandhelm are needed\nhelm upgrade -i \\\n--version 1\nkubectl apply -f- <<EOF\na:\nb:\nEOF\nand then\nnpx a\n";
    let expected = typed(&[
        ("helm upgrade -i \\\n--version 1", ""),
        ("kubectl apply -f- <<EOF\na:\nb:\nEOF", ""),
        ("npx a", ""),
    ]);
    assert_eq!(commands(page), expected);
}

#[test]
fn comments_of_a_script_show_what_comes_of_the_command_above() {
    let steps = of_script("# first\nkubectl get pods\n# NAME\n#  a\n").unwrap();
    let step = Step { command: "kubectl get pods".to_owned(), shown: "NAME\n a\n".to_owned() };
    assert_eq!(steps, [step]);
}

#[test]
fn every_tutorial_forwards_a_port_and_asks_for_tools() {
    for source in [Source::find().unwrap(), Source::ours().unwrap()] {
        for number in ["000", "001", "002", "003", "004"] {
            let steps = source.steps(number).unwrap();
            let place = |words: &str| steps.iter().position(|step| step.types(words));
            let asked = place("curl").into_iter().chain(place("inspector")).min();
            let forwarded =
                place("kubectl port-forward").or(place("kubectl -n agentgateway-system"));
            assert!(forwarded < asked && forwarded.is_some(), "{number}: {steps:#?}");
            let installed = place("helm upgrade -i --create-namespace");
            assert!(installed < forwarded && installed.is_some(), "{number}: {steps:#?}");
        }
    }
}
