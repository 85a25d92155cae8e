import tensorflow as tf

x = tf.random.uniform([4096, 1])
y = 3 * x + 1
slope, offset = tf.Variable(0.0), tf.Variable(0.0)
for _ in range(300):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(slope * x + offset - y))
    for variable, gradient in zip((slope, offset), tape.gradient(loss, (slope, offset))):
        variable.assign_sub(0.3 * gradient)
print(tf.config.list_physical_devices())
print(f"y = {float(slope):.3f} x + {float(offset):.3f}")
