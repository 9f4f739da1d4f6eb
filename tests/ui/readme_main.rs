// What the README's `main` does, and what else one asks of a network.
{
    let net = Net::random(231);
    let mut arena = Net::arena();
    let image = convnet::Volume::boxed();
    let scores = net.forward(&image, &mut arena);
    println!("class {}", scores.best());
    println!("{net}");
    println!("{:?} {} {}", Net::INPUT, Net::PARAMETERS, Net::ARENA_BYTES);

    let (mut gradient, mut tape) = (Net::boxed(), Net::tape());
    let d_scores = net.forward_train(&image, &mut tape, 1).clone();
    net.backward(&image, None, &mut tape, &d_scores, &mut gradient);
}
