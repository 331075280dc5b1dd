"""What a model said of images, and how good that is: no Keras, no TensorFlow."""
