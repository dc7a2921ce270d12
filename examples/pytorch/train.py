"""A training loop in PyTorch with a `ca.Recorder`; docs/tutorials/pytorch.md reads its log."""

import numpy as np
import torch

import convex_analyzer as ca

rng = np.random.default_rng(0)
X = rng.normal(size=(150, 3)) * [1.0, 1.4, 0.4]
y = X @ [1.0, -2.0, 0.5] + 0.3 * rng.normal(size=150)

inputs, targets = torch.tensor(X), torch.tensor(y)[:, None]
model = torch.nn.Linear(3, 1, dtype=torch.float64)
for parameter in model.parameters():
    torch.nn.init.zeros_(parameter)
criterion = torch.nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.51)

recorder = ca.Recorder(optimizer=optimizer, batch_size=len(X), rows=len(X))
for _ in range(100):
    optimizer.zero_grad()
    loss = criterion(model(inputs), targets)
    loss.backward()
    recorder.step(loss, parameters=model)  # after backward, before the update
    optimizer.step()
recorder.save("run.npz")
