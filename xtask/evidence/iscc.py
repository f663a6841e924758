"""The ISCC units that crates/pinxit-trust/src/fingerprint.rs must give, by the Python reference (pip install iscc-core==1.5.0):

    python3 xtask/evidence/iscc.py
"""
import io
import iscc_core

samples = bytes((i * i * 7 + i * 13) % 251 for i in range(1024))
image = iscc_core.gen_image_code_v0(list(samples), bits=64)["iscc"]
data = iscc_core.gen_data_code_v0(io.BytesIO(samples), bits=64)["iscc"]
instance = iscc_core.gen_instance_code_v0(io.BytesIO(samples), bits=64)["iscc"]
print("image", image)
print("data", data)
print("instance", instance)
print("code", iscc_core.gen_iscc_code_v0([image, data, instance])["iscc"])
