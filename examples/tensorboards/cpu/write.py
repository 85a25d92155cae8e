import tensorflow as tf

print("devices:", tf.config.list_physical_devices())
writer = tf.summary.create_file_writer("/logs/first")
with writer.as_default():
    for step in range(100):
        loss = tf.reduce_mean(tf.random.normal([64, 64]) ** 2) / (step + 1)
        tf.summary.scalar("loss", loss, step=step)
writer.close()
