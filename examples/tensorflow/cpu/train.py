"""Trains a model and puts it where TensorFlow Serving looks: a folder a version, the highest is served."""

import os
import time

import tensorflow as tf

model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.SGD(0.3), loss="mse")
x = tf.random.uniform([8192, 1], seed=1)
model.fit(x, 3 * x + 1, epochs=5, batch_size=128, verbose=2)
print(tf.config.list_physical_devices())

# Serving may look at any moment: the version appears under its name when it is whole.
base = os.environ["MODEL_BASE_PATH"]
version = str(int(time.time()))
model.export(os.path.join(base, "unfinished-" + version))
os.rename(os.path.join(base, "unfinished-" + version), os.path.join(base, version))
print("version", version)
