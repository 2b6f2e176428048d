import concurrent.futures


def work(number):
    return {"number": number, "square": number * number}


with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
    results = list(pool.map(work, range(60)))
    waited, _ = concurrent.futures.wait([pool.submit(work, number) for number in range(20)])
    total = sum(future.result()["square"] for future in concurrent.futures.as_completed(waited))
print(sum(result["square"] for result in results), total)
