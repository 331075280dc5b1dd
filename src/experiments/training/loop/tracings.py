"""TensorFlow's count of how often a function is compiled."""

import keras


def count_tracings_anew() -> None:
    """Lets TensorFlow forget what was compiled before, for a model that is now.

    It takes the steps of all models for one function of Keras', whose calls it counts:
    where epochs are short, phases and rollbacks look to it like a function that is
    compiled again and again ("retracing"), of which it warns. Within a phase it still
    does.
    """
    if keras.backend.backend() != "tensorflow":
        return
    from tensorflow.python.eager.polymorphic_function import polymorphic_function

    kind = polymorphic_function._FrequentTracingDetectorManager
    polymorphic_function._frequent_tracing_detector_manager = kind()
