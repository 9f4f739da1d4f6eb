convnet::convnet! {
    pub struct Speech {
        input(40x49x1),
        first_weights: conv(8, 8x10, stride = 2, pad = (4, 5, 3, 3)), // 20x25x8
        relu,
        final_fc_weights_read: fc(4), // 1x1x4
        softmax,
    }
}
