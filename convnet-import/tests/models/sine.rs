convnet::convnet! {
    pub struct Sine {
        input(1x1x1),
        dense_2: fc(16), // 1x1x16
        relu,
        dense_3: fc(16),
        relu,
        dense_4: fc(1), // 1x1x1
    }
}
