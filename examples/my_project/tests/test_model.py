import numpy as np

from my_project.model import build_small_net


def test_model_gives_one_logit_a_class_for_each_image():
    model = build_small_net(input_shape=(32, 32, 1), num_classes=3, width=4, blocks=2)
    assert model(np.zeros((5, 32, 32, 1), np.float32)).shape == (5, 3)


def test_each_block_doubles_the_filters():
    model = build_small_net(input_shape=(32, 32, 1), num_classes=3, width=4, blocks=3)
    filters = [layer.filters for layer in model.layers if hasattr(layer, "filters")]
    assert filters == [4, 8, 16]
