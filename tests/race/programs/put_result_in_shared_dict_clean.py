import concurrent.futures

results = {}


def compute():
    results["answer"] = 42


with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
    computed = pool.submit(compute)
    looked = pool.submit(lambda: computed.result() or results["answer"])
    looked.result()
print(results)
