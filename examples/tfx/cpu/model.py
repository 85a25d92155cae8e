"""The model: a line, fitted by gradient descent. Plain TensorFlow, so that it does not depend on a version of Keras."""

import tensorflow as tf
from tfx.utils import io_utils
from tfx_bsl.public import tfxio


class Line(tf.Module):
    def __init__(self):
        super().__init__()
        self.slope = tf.Variable(0.0)
        self.offset = tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])
    def serve(self, x):
        return {"y": self.slope * x + self.offset}


def run_fn(fn_args):
    schema = io_utils.SchemaReader().read(fn_args.schema_path)
    options = tfxio.TensorFlowDatasetOptions(batch_size=64, label_key="y")
    data = fn_args.data_accessor.tf_dataset_factory(fn_args.train_files, options, schema).repeat()
    line = Line()
    for features, label in data.take(fn_args.train_steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(line.serve(features["x"])["y"] - label))
        variables = [line.slope, line.offset]
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(0.3 * gradient)
    print("devices:", tf.config.list_physical_devices(), "loss:", float(loss))
    tf.saved_model.save(line, fn_args.serving_model_dir, signatures={"serving_default": line.serve})
