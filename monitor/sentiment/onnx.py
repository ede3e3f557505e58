"""tmp"""
from __future__ import annotations
import os
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
from monitor.model import Sentiment
class OnnxModel:
    def __init__(self, folder, name, threads, batch):
        import onnxruntime as ort; from tokenizers import Tokenizer
        self.id=name
        self.t=Tokenizer.from_file(str(folder/"tokenizer.json")); self.t.enable_truncation(128)
        o=ort.SessionOptions(); o.intra_op_num_threads=threads; o.inter_op_num_threads=1
        self.s=ort.InferenceSession(str(folder/"model.onnx"),o)
    def judge(self, texts):
        import numpy as np
        out=[None]*len(texts)
        ids=[e.ids for e in self.t.encode_batch(list(texts))]
        o=sorted(range(len(ids)),key=lambda i:len(ids[i]))
        for i in range(0,len(o),32):
            b=[ids[j] for j in o[i:i+32]]; L=max(map(len,b))
            x=np.ones((len(b),L),np.int64); m=np.zeros((len(b),L),np.int64)
            for k,r in enumerate(b): x[k,:len(r)]=r; m[k,:len(r)]=1
            z=self.s.run(None,{"input_ids":x,"attention_mask":m})[0]
            e=np.exp(z-z.max(1,keepdims=True)); e/=e.sum(1,keepdims=True)
            for k,j in enumerate(o[i:i+32]): out[j]=Sentiment(*map(float,e[k]),self.id)
        return out
