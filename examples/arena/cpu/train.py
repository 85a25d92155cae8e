"""Data-parallel training; the operator tells each worker of the others in TF_CONFIG."""

import tensorflow as tf

strategy = tf.distribute.MultiWorkerMirroredStrategy()
with strategy.scope():
    model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)])
    model.compile(optimizer=tf.keras.optimizers.SGD(0.3), loss="mse")
x = tf.random.uniform([8192, 1], seed=1)
data = tf.data.Dataset.from_tensor_slices((x, 3 * x + 1)).repeat().batch(128)
model.fit(data, epochs=3, steps_per_epoch=200, verbose=2)
print("replicas:", strategy.num_replicas_in_sync, "weights:", [w.tolist() for w in model.get_weights()])
